import { clearFloats } from './copy';
import { copyNeighbours, copyLanes, isContiguous, Lanes, LANES, PIXEL } from './depthwise-block';

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
  /** Fillings that it takes to see all rows. With one, rows beyond the image keep the zeros they were cleared to. */
  bands: i32;
}

/**
 * Copies one image to blocks that have been cleared, or were filled at the same columns before.
 *
 * @param shift  rows that the blocks begin later than `firstRow`
 * @param lanes  of the first block; the others follow it, up to channel `end`
 * @param blockStep  bytes from one block to the next
 */
export function fillBlocks(
  images: Images,
  image: i32,
  shift: i32,
  lanes: Lanes,
  end: i32,
  target: usize,
  blockStep: usize,
): void {
  const pixelBytes = (<usize>images.channels) << 2;
  const start = max(images.firstColumn, 0);
  const pixels = min(images.firstColumn + images.columns, images.width) - start;
  const rowBytes = <usize>images.columns * PIXEL;
  const first = lanes.first;
  const blocks = (end - first + LANES - 1) / LANES;
  let to = target;
  for (let row = 0; row < images.rows; row += 1) {
    const imageRow = images.firstRow + shift + row;
    const isOnImage = imageRow >= 0 && imageRow < images.height;
    const from =
      images.address + <usize>((image * images.height + imageRow) * images.width + start) * pixelBytes;
    const place = to + <usize>(start - images.firstColumn) * PIXEL;
    if (isOnImage && isContiguous(lanes)) {
      copyNeighbours(from + ((<usize>first) << 2), place, pixels, pixelBytes, end - first, blockStep);
    } else {
      for (let block = 0; block < blocks; block += 1) {
        const at = <usize>block * blockStep;
        lanes.first = first + block * LANES;
        lanes.count = min(end - lanes.first, LANES);
        if (isOnImage) copyLanes(from, place + at, pixels, pixelBytes, lanes);
        else if (images.bands > 1) clearFloats(to + at, rowBytes);
      }
    }
    to += rowBytes;
  }
  lanes.first = first;
}
