import type { Readable } from 'node:stream';

/** What is known of an object without its bytes. */
export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  /** Changes with every write of other content; opaque. */
  readonly etag: string;
  readonly modifiedAt: Date;
}

export interface StoredObject extends ObjectInfo {
  readonly body: Uint8Array;
}

export interface WriteOptions {
  readonly contentType?: string;
  /** Write only if the key does not exist yet, or only if its content is still that of this etag. */
  readonly onlyIf?: 'absent' | { readonly etag: string };
}

/** A form that a browser or curl can post to, bound to one key, a largest size and a type. */
export interface UploadForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Objects by key, as S3 has them: whole-object reads and writes, strong consistency, conditional writes.
 * Keys are `/`-separated, without a leading slash, `.` or `..` segments; anything else is an InvalidInputError.
 *
 * Every method throws StorageError when the store itself fails.
 */
export interface ObjectStore {
  /** null when the key does not exist */
  info(key: string): Promise<ObjectInfo | null>;
  /** null when the key does not exist; for objects that fit into memory (records, reports, manifests) */
  read(key: string): Promise<StoredObject | null>;
  /** null when the key does not exist; for objects of any size */
  readStream(key: string): Promise<Readable | null>;
  /** @throws ConflictError when `onlyIf` does not hold */
  write(key: string, body: Uint8Array | string, options?: WriteOptions): Promise<ObjectInfo>;
  /** For bodies of any size; the object appears whole or not at all. */
  writeStream(key: string, body: Readable, options?: Pick<WriteOptions, 'contentType'>): Promise<ObjectInfo>;
  /** Nothing happens when the key does not exist. */
  delete(key: string): Promise<void>;
  /** Every object below a prefix, in order of key. */
  list(prefix: string, options?: { readonly startAfter?: string }): AsyncIterable<ObjectInfo>;
  /**
   * The keys alone, in the same order: reads no content, which `list` may have to for an etag.
   *
   * @param options.isFlat  leaves out what lies in folders below the prefix, and never looks into them
   */
  listKeys(prefix: string, options?: { readonly isFlat?: boolean }): AsyncIterable<string>;
  /** URL that reads one object without credentials, for `seconds`; it downloads under `filename`. */
  downloadUrl(
    key: string,
    options: { readonly seconds: number; readonly filename?: string },
  ): Promise<string>;
  uploadForm(
    key: string,
    options: { readonly seconds: number; readonly maxBytes: number; readonly contentType: string },
  ): Promise<UploadForm>;
}
