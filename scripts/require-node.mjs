/*
 * Imported first by every script: an older Node.js would stop at a missing feature, with words that help nobody.
 */
const OLDEST = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(
    `Tocsin needs Node.js ${OLDEST.join('.')} or newer, and this is ${process.versions.node}. Install a newer one, then run this again.\n`,
  );
  process.exit(1);
}
