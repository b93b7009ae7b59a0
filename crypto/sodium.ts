import sodium from 'libsodium-wrappers';

/** libsodium compiled to WebAssembly. Usable only after `sodiumReady()` has resolved. */
export { sodium };

/** Resolves once the WebAssembly module has started; every composition root awaits it first. */
export async function sodiumReady(): Promise<void> {
  await sodium.ready;
}
