import { type ImageFacts, imageFacts } from '../core/data/image-facts.ts';
import type { ImageInputOptions } from '../core/data/inputs.ts';

/** Facts of images, gathered while they are decoded for the model anyway. */
export interface ImageFactsStore {
  readonly onImage: NonNullable<ImageInputOptions['onImage']>;
  /** Facts of a row; null until its image was decoded. */
  of(row: number): ImageFacts | null;
}

export function makeImageFactsStore(): ImageFactsStore {
  const facts = new Map<number, ImageFacts>();
  return {
    onImage: (row, image) => {
      if (!facts.has(row)) facts.set(row, imageFacts(image));
    },
    of: (row) => facts.get(row) ?? null,
  };
}
