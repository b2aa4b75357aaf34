// Problem: a driver's pure parts are to be tested natively, but Node knows neither TypeScript (before version 23) nor the
// imports that only a component has. Solved by two hooks for Node's loader: a `.ts` file loses its types by the project's own
// `typescript`, and every import of `wasi:` or `cofferdam:` becomes a stub whose functions and classes throw when they are used.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const HOST = /^(wasi|cofferdam):/;
const STUBS = {
  'wasi:clocks/monotonic-clock': ['subscribeDuration'],
  'wasi:clocks/wall-clock': ['now'],
  'wasi:filesystem/preopens': ['getDirectories'],
  'wasi:filesystem/types': ['filesystemErrorCode'],
  'wasi:http/outgoing-handler': ['handle'],
  'wasi:http/types': ['Fields', 'OutgoingBody', 'OutgoingRequest', 'RequestOptions', 'httpErrorCode'],
  'wasi:io/poll': ['poll'],
  'wasi:random/random': ['getRandomU64', 'getRandomBytes'],
  'cofferdam:backup/host': ['log', 'pipe', 'pipeDigested', 'isCancelled'],
  'cofferdam:backup/secrets': ['sign', 'md5', 'sha256', 'placeholder', 'reveal'],
};

export async function resolve(specifier, context, next) {
  if (HOST.test(specifier)) return { url: specifier, format: 'module', shortCircuit: true };
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (HOST.test(url)) {
    const names = STUBS[url.replace(/@.*/, '')] ?? [];
    const source = names.map(
      (name) => `export function ${name}() { throw new Error('${name} is there only inside a component'); }`,
    );
    return { format: 'module', source: source.join('\n'), shortCircuit: true };
  }
  if (!url.endsWith('.ts')) return next(url, context);
  const { default: ts } = await import('typescript');
  const { outputText } = ts.transpileModule(await readFile(fileURLToPath(url), 'utf8'), {
    fileName: url,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, inlineSourceMap: true },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}
