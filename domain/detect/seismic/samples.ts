/** Samples as text of a third more bytes than 32-bit numbers need: JSON numbers would take three times as much. */
export function packSamples(samples: ArrayLike<number>): string {
  const view = new DataView(new ArrayBuffer(4 * samples.length));
  for (let i = 0; i < samples.length; i++) view.setFloat32(4 * i, samples[i]!, true);
  let text = '';
  for (let i = 0; i < view.byteLength; i++) text += String.fromCharCode(view.getUint8(i));
  return btoa(text);
}

/** @throws DOMException when it is no such text */
export function unpackSamples(packed: string): Float32Array {
  const text = atob(packed);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  return Float32Array.from({ length: text.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}
