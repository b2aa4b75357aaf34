// HTTP for drivers: one request, one answer, over `wasi:http`.
//
// Problem: the raw interface takes twenty calls in the right order for one request, and drops a server's answer when the body breaks
// off. Solved by `Request`, which is sent once with no body, a small one or a streamed one, and gives a `Response`: status, headers, and
// a body that is read up to a limit or piped to a sink. Bytes of objects are moved by the host and never enter the guest. A response is
// used in `use`, which lets go of its connection.
//
// Bound: nothing is tried twice, no redirect is followed, no body is collected without a limit. What the server says is hostile until
// checked: texts of its making are shortened and cleaned before they reach an error (`shown`).
//
// One file per purpose: `url` takes addresses apart, `request` sends, `response` receives, `failure` turns `wasi:http`'s error codes and
// `status` turns statuses into the contract's errors, `ranges` asks for ranges and checks what came.

export { Headers } from './headers.ts';
export * as ranges from './ranges.ts';
export { Request } from './request.ts';
export { Response } from './response.ts';
export * as status from './status.ts';
export { percent, percentDecode, shown } from './text.ts';
export { type Scheme, Url } from './url.ts';
