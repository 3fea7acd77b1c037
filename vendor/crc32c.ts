/** Table of the Castagnoli polynomial, reflected (0x82F63B78), as in iSCSI (RFC 3720). */
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let rest = n;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** CRC-32C of the bytes. @param before of the bytes before them, to go on */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let n = 0; n < bytes.length; n++) crc = TABLE[(crc ^ bytes[n]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
