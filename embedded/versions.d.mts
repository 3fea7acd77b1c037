export const TEMPORAL_VERSION: string;
export const TEMPORAL_WHEEL: { requirement: string; sha256: string[] };
export const MONGOD_VERSION: string;
export const GO_VERSION: string;
