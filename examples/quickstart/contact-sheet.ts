import sharp from 'sharp';
import { SIDE } from './draw-lesion.ts';
import type { Lesion } from './lesions.ts';

const COLUMNS = 10;
/** Side of a lesion on the sheet, and the step from one to the next, in pixels. */
const [SHOWN, STEP] = [64, 66];

/** Writes one PNG that shows lesions of each kind, a row each: benign, benign with ink, malignant, malignant with ink. */
export async function writeContactSheet(file: string, lesions: readonly Lesion[]): Promise<void> {
  const rows = [false, true].flatMap((isMalignant) =>
    [false, true].map((isMarked) =>
      lesions.filter((lesion) => lesion.isMalignant === isMalignant && lesion.isMarked === isMarked),
    ),
  );
  const placed = rows.flatMap((row, y) => row.slice(0, COLUMNS).map((lesion, x) => ({ lesion, x, y })));
  const tiles = placed.map(async ({ lesion, x, y }) => ({
    input: await enlarge(lesion.pixels),
    left: x * STEP,
    top: y * STEP,
  }));
  const sheet = {
    width: COLUMNS * STEP,
    height: rows.length * STEP,
    channels: 3,
    background: '#fff',
  } as const;
  await sharp({ create: sheet })
    .composite(await Promise.all(tiles))
    .png({ palette: true })
    .toFile(file);
}

async function enlarge(pixels: Uint8Array): Promise<Buffer> {
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
  return sharp(pixels, { raw }).resize(SHOWN, SHOWN, { kernel: 'nearest' }).png().toBuffer();
}
