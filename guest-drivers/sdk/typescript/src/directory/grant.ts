// Which granted directory covers a path. Pure.
//
// A directory that the deployer grants is preopened under the very path it has on the host, so the setting's path is either a
// preopen's or lies below one; of several the nearest is taken.

/** The index of the preopen, and the way from there: `.` or a relative path. A text is the reason why there is none. */
export function find(preopens: string[], path: string): { index: number; below: string } | string {
  if (!path.startsWith('/')) return `${path} is not an absolute path`;
  const wanted = components(path);
  if (wanted.includes('..')) return `${path} holds \`..\`: write the path without it`;
  let found: { index: number; depth: number } | undefined;
  preopens.forEach((preopen, index) => {
    const granted = components(preopen);
    const covers = granted.every((component, at) => component === wanted[at]);
    if (covers && granted.length >= (found?.depth ?? 0)) found = { index, depth: granted.length };
  });
  if (found === undefined) return `${path} is not granted to this driver`;
  return { index: found.index, below: wanted.slice(found.depth).join('/') || '.' };
}

function components(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}
