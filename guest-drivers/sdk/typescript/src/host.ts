// Two habits that every use of WASI needs: resources are let go of at once, errors are looked into.
//
// A resource (a descriptor, a stream) that is left to the garbage collector stays open in the host until it runs, which
// may be never; so `use` ends it when its function returns or throws. Errors of imported functions come as exceptions with the
// contract's value in `payload`.

/** Calls `body` with the resource and ends it afterwards, whatever happens. */
export function use<R extends object, T>(resource: R, body: (resource: R) => T): T {
  try {
    return body(resource);
  } finally {
    end(resource);
  }
}

/** Ends a resource now. One that was given away or has ended already is left alone. */
export function end(resource: object): void {
  const dispose = (resource as Partial<Disposable>)[Symbol.dispose];
  if (dispose !== undefined) dispose.call(resource);
}

/** The value of an error of an imported function; anything else that was thrown is thrown on. */
export function payload<E>(thrown: unknown): E {
  if (isHostError(thrown)) return thrown.payload as E;
  throw thrown;
}

/** Whether an imported function failed, and not the program. Not by `instanceof Error`, which says no
 * of them in a component made by jco 1.35. */
export function isHostError(thrown: unknown): thrown is { payload: unknown } {
  return typeof thrown === 'object' && thrown !== null && 'payload' in thrown;
}
