/** Error codes of recognition. Registered with their HTTP and gRPC status in `api/errors.ts`. */

/** The artefact's bytes are truncated, altered or not an artefact. */
export const RECOGNISER_DAMAGED = 'RECOGNISER_DAMAGED';
/** The artefact was written by a newer version of the format. */
export const RECOGNISER_NEWER = 'RECOGNISER_NEWER';
/** The SHA-256 of the bytes is not the one that was activated. */
export const RECOGNISER_HASH_MISMATCH = 'RECOGNISER_HASH_MISMATCH';
/** An input row has an unknown column, a wrong type or a value that is not finite. */
export const RECOGNISER_INPUT_INVALID = 'RECOGNISER_INPUT_INVALID';
/** The rows cannot train a recogniser: no rows, one class, a label that is not declared. */
export const TRAINING_DATA_INVALID = 'TRAINING_DATA_INVALID';
/** The independent library gives another label than the artefact on a canary row. */
export const RECOGNISER_CANARY_DIFFERS = 'RECOGNISER_CANARY_DIFFERS';
/** A version may not take the place of the one that votes; details carry every finding. */
export const RECOGNISER_GATE_REFUSED = 'RECOGNISER_GATE_REFUSED';
/** There is no earlier version to go back to. */
export const RECOGNISER_NO_EARLIER = 'RECOGNISER_NO_EARLIER';
/** No vote came back in time. */
export const RECOGNITION_TIMED_OUT = 'RECOGNITION_TIMED_OUT';
/** A CSV or ARFF file is malformed; details carry file, line and column. */
