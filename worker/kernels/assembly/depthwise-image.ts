import { clear, copyPixels, Lanes, PIXEL } from './depthwise-block';

/** An image tensor [N, H, W, C], and the rows and columns of it that a block in scratch memory holds. */
@unmanaged
export class Images {
  address: usize;
  height: i32;
  width: i32;
  channels: i32;
  /** Image row and column, or padding before them, at the start of the block. */
  firstRow: i32;
  firstColumn: i32;
  /** Size of the block. */
  rows: i32;
  columns: i32;
}

/** Bytes of a block. */
@inline
export function blockBytes(images: Images): usize {
  return <usize>(images.rows * images.columns) * PIXEL;
}

/**
 * Copies the lanes of one image to a block that has been cleared, or was filled at the same columns before.
 *
 * @param shift  rows that the block begins later than `firstRow`
 */
export function fillBlock(images: Images, image: i32, shift: i32, lanes: Lanes, block: usize): void {
  const pixelBytes = <usize>images.channels << 2;
  const start = max(images.firstColumn, 0);
  const pixels = min(images.firstColumn + images.columns, images.width) - start;
  const rowBytes = <usize>images.columns * PIXEL;
  let to = block;
  for (let row = 0; row < images.rows; row += 1) {
    const imageRow = images.firstRow + shift + row;
    if (imageRow < 0 || imageRow >= images.height) {
      clear(to, rowBytes);
    } else {
      const pixel = (image * images.height + imageRow) * images.width + start;
      const target = to + <usize>(start - images.firstColumn) * PIXEL;
      copyPixels(images.address + <usize>pixel * pixelBytes, target, pixels, pixelBytes, lanes);
    }
    to += rowBytes;
  }
}

