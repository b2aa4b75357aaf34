// The driver in one file. What the host gives it at run time is no module that could be packed.
export default {
  input: 'src/driver.ts',
  external: /^(wasi|cofferdam):/,
  output: { file: 'build/driver.js', format: 'esm' },
};
