import mongoose from 'mongoose';
import type { Connection, Model, QueryFilter, SchemaDefinition } from 'mongoose';
import type { Inserted } from '../domain/ports.ts';
import { answered } from './deadline.ts';
import { isDuplicateKey, storeFailure } from './failure.ts';

/** A list may come in so many answers, each within its time. */
const ANSWERS_OF_A_LIST = 6;

/**
 * One stored document. Besides its meaningful `_id` a row has the few scalar fields that are ever queried;
 * whatever has structure travels in one string field of canonical JSON. FerretDB refuses nested arrays and keys
 * with `.` or a leading `$`, which plans and situations hold; a string it keeps as it is.
 */
export interface Row {
  readonly _id: string;
}

/**
 * The writes and reads that mean the same on every backend. No update operators: on FerretDB over SQLite a
 * guarded update can have fifty winners, a unique insert has one.
 */
export interface Collection<R extends Row> {
  /** The only atomic step: one of many writers of an `_id` is told `inserted`. */
  insert(row: R): Promise<Inserted>;
  /** Inserts what is missing, in order; answers the `_id`s that were there already. At most 50 rows a call. */
  insertMissing(rows: readonly R[]): Promise<string[]>;
  /** Writes the whole row. For rows that have one writer. */
  replace(row: R): Promise<void>;
  /** Removes a row; harmless when it is not there. */
  remove(id: string): Promise<void>;
  /** By exact `_id`: the only read that FerretDB does not answer by reading the whole collection. */
  get(id: string): Promise<R | null>;
  /** Reads the whole collection on FerretDB: for small collections and rare questions. */
  find(filter: QueryFilter<R>): Promise<R[]>;
  /**
   * Every row once, at most so many at a time and in no order. What is written meanwhile is there as it was or as it is.
   */
  parts(rows: number): AsyncGenerator<R[]>;
  /** Rows with `from` <= `_id` < `below`, in order of `_id`; by index on MongoDB, a full scan on FerretDB. */
  range(from: string, below: string): Promise<R[]>;
}

/** Opens a collection of `connection`. Unknown fields are refused in rows and in filters. */
export function openCollection<R extends Row>(
  connection: Connection,
  name: string,
  fields: SchemaDefinition,
): Collection<R> {
  const model = modelOf<R>(connection, name, fields);
  const within = <T>(call: () => PromiseLike<T>, answers?: number): Promise<T> =>
    answered(connection, call, answers);
  const read = async <T>(query: () => PromiseLike<T>, answers?: number): Promise<T> => {
    try {
      return await within(query, answers);
    } catch (error) {
      throw storeFailure(error);
    }
  };
  return {
    async insert(row) {
      try {
        await within(() => model.create([row]));
        return 'inserted';
      } catch (error) {
        if (isDuplicateKey(error)) return 'exists';
        throw storeFailure(error);
      }
    },
    async insertMissing(rows) {
      try {
        await within(() => model.insertMany(rows as R[], { ordered: false, throwOnValidationError: true }));
        return [];
      } catch (error) {
        return duplicatesOnly(error).map((i) => rows[i]!._id);
      }
    },
    async replace(row) {
      for (let attempt = 1; ; attempt++) {
        try {
          await within(() =>
            model.replaceOne({ _id: row._id } as QueryFilter<R>, row, { upsert: true, runValidators: true }),
          );
          return;
        } catch (error) {
          // Our own earlier attempt, whose answer was lost, may have inserted it meanwhile.
          if (!isDuplicateKey(error) || attempt === 3) throw storeFailure(error);
        }
      }
    },
    async remove(id) {
      await read(() => model.deleteOne({ _id: id } as QueryFilter<R>));
    },
    get: (id) => read(() => model.findOne({ _id: id } as QueryFilter<R>).lean<R>()),
    find: (filter) => read(() => model.find(filter).lean<R[]>(), ANSWERS_OF_A_LIST),
    async *parts(rows) {
      const cursor = model.collection.find({}, { batchSize: rows });
      try {
        while (await read(() => cursor.hasNext())) yield cursor.readBufferedDocuments() as unknown as R[];
      } finally {
        // Nobody waits for it: the connection may be the reason why we are here.
        if (!cursor.closed) cursor.close().catch(() => {});
      }
    },
    range: (from, below) =>
      read(
        () =>
          model
            .find({ _id: { $gte: from, $lt: below } } as QueryFilter<R>)
            .sort({ _id: 1 })
            .lean<R[]>(),
        ANSWERS_OF_A_LIST,
      ),
  };
}

function modelOf<R extends Row>(connection: Connection, name: string, fields: SchemaDefinition): Model<R> {
  const opened = connection.models[name] as Model<R> | undefined;
  if (opened !== undefined) return opened;
  const schema = new mongoose.Schema(
    { _id: { type: String, required: true }, ...fields },
    {
      strict: 'throw',
      strictQuery: 'throw',
      versionKey: false,
      bufferCommands: false,
      autoIndex: false,
      autoCreate: false,
    },
  );
  return connection.model(name, schema, name) as unknown as Model<R>;
}

/** Positions of the rows that were there already; throws when a row failed for any other reason. */
function duplicatesOnly(error: unknown): number[] {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) throw storeFailure(error);
  const failures = [error.writeErrors].flat();
  const other = failures.find((failure) => failure.code !== 11000);
  // An acknowledged row must be durable: a write-concern error, or any other failure, leaves that open.
  if (other !== undefined || failures.length === 0 || error.result.getWriteConcernError() !== undefined)
    throw storeFailure(other?.err ?? error);
  return failures.map((failure) => failure.index);
}

/** Bytes of a row: the driver hands back its own kind for those that mongoose was not asked to cast. */
export const bytesOf = (stored: Buffer | { readonly buffer: Uint8Array }): Buffer =>
  Buffer.isBuffer(stored) ? stored : Buffer.from(stored.buffer);
