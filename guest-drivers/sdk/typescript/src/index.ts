// What a TypeScript author imports to write a Cofferdam backup driver.
//
// A driver is a class derived from `Driver`, exported once, in the main module:
//
//     import { Driver, exportDriver, type Settings } from 'cofferdam-driver';
//
//     class Shelf extends Driver {
//       static describe() { ... }
//       constructor(settings: Settings) { ... }
//       ... // the other functions of the contract
//     }
//
//     export const { backupDriver, objectStore } = exportDriver(Shelf);
//
// What each function promises is said in the contract, `wit/0.1.0`. Beside the class: `Settings` reads options, `Directory` keeps
// objects as files in a granted directory, `http` speaks to servers, `Secret` uses keys that the host keeps, `pipe`, `store` and
// `fetch` move bytes without letting them into the guest, `log` writes to the host's log, `names` holds the rules for safe names,
// `placement` those of sizes and prefixes, `Picker` makes a page of a listing. Numbers of bytes are `bigint`.

export type * from './contract.ts';
export { Directory } from './directory/index.ts';
export { Driver, type DriverClass } from './driver.ts';
export * from './errors.ts';
export { exportDriver } from './export.ts';
export { end, use } from './host.ts';
export * as http from './http/index.ts';
export * as log from './log.ts';
export * as names from './names.ts';
export { byBytes, byteLength } from './order.ts';
export { Picker } from './page.ts';
export { PipeError, fetch, isCancelled, isFull, pipe, pipeDigested, store } from './pipe.ts';
export * as placement from './placement.ts';
export { type Algorithm, type Encoding, Secret, sha256 } from './secrets.ts';
export { Settings, type Value } from './settings.ts';
