import mongoose from 'mongoose';
import { TocsinError } from '../domain/errors.ts';

const { MongoServerError, MongoInvalidArgumentError, BSONError } = {
  MongoServerError: mongoose.mongo.MongoServerError,
  MongoInvalidArgumentError: mongoose.mongo.MongoInvalidArgumentError,
  BSONError: mongoose.mongo.BSON.BSONError,
};

const DUPLICATE_KEY = 11000;
/** BadValue, FailedToParse, TypeMismatch, InvalidNamespace, DocumentValidationFailure, BSONObjectTooLarge. */
const REFUSED_CODES: readonly unknown[] = [2, 9, 14, 73, 121, 10334];

/** E11000: somebody inserted that `_id` before. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * What a failed call means to the caller: `STORE_REFUSED` (the document can never be stored as it is) or
 * `STORE_UNAVAILABLE` (repeat it: the outcome of a write may be unknown, and every write is repeatable by key).
 * When in doubt it is the second: giving up on a record loses it.
 */
export function storeFailure(error: unknown): TocsinError {
  if (error instanceof TocsinError) return error;
  return isRefusal(error)
    ? new TocsinError('STORE_REFUSED', 'The store refused a document.', { cause: error })
    : new TocsinError('STORE_UNAVAILABLE', 'The store did not answer.', { cause: error, retryable: true });
}

function isRefusal(error: unknown): boolean {
  if (error instanceof MongoServerError) return REFUSED_CODES.includes(error.code);
  return (
    error instanceof MongoInvalidArgumentError ||
    error instanceof BSONError ||
    error instanceof mongoose.Error.ValidationError ||
    error instanceof mongoose.Error.CastError ||
    error instanceof mongoose.Error.StrictModeError ||
    // What insertMany throws for an invalid row; mongoose does not export the class.
    (error instanceof mongoose.Error && error.name === 'MongooseBulkWriteError')
  );
}
