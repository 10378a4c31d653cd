import type { Tensor } from '@tensorflow/tfjs-core';
import type { SensitiveFeature } from '../fairness/types.ts';

/** Name of the group that holds rows without a value for a sensitive feature. */
export const MISSING_GROUP = '(missing)';

/** What is known of each sample besides its input. All arrays are [N], in file order. */
export interface Samples {
  readonly size: number;
  /** 0 or 1; where there are classes, the index of one */
  readonly labels: Int32Array;
  /** Names of three classes or more; absent where labels are 0 or 1. */
  readonly classNames?: readonly string[];
  readonly sensitiveFeatures: readonly SensitiveFeature[];
  /** Samples that share a subject must never be split apart; absent when the table has no such column. */
  readonly subjects?: readonly string[];
  readonly splits?: readonly string[];
}

/** Images by path; decoded on demand. */
export interface ImageList {
  readonly kind: 'image';
  /** Folder that holds every image, symbolic links resolved. */
  readonly root: string;
  /** [N] relative to `root`, as the manifest spells them */
  readonly paths: readonly string[];
  /** [N] line of the manifest, to name in messages */
  readonly lines: Int32Array;
}

/** Feature values as the table holds them: not yet standardised, categories as their index. */
export interface FeatureTable {
  readonly kind: 'table';
  readonly columns: readonly string[];
  /** [N · columns], row by row; a category that is unknown and allowed to be is -1. */
  readonly values: Float64Array;
}

/** Samples with what the model reads: an image each, or feature values each. */
export interface Manifest extends Samples {
  readonly input: ImageList | FeatureTable;
}

/** Model inputs by row, decoded and normalised on demand in bounded memory. */
export interface InputSource {
  readonly size: number;
  /** Shape of one sample, without the batch axis. */
  readonly sampleShape: readonly number[];
  /** [B, ...sampleShape] float32 for the rows asked for, in that order; the caller disposes it. */
  batch(rows: ArrayLike<number>): Promise<Tensor>;
  /**
   * Reads the rows once, so that a bad file shows before a long job and not in its middle.
   *
   * @throws InvalidInputError that counts the bad files and lists the first five
   */
  verify(rows: ArrayLike<number>, options?: VerifyOptions): Promise<void>;
}

interface VerifyOptions {
  readonly onProgress?: (done: number, total: number) => void;
}
