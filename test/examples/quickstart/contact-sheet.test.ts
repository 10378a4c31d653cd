import sharp from 'sharp';
import { expect, it } from 'vitest';
import { writeContactSheet } from '../../../examples/quickstart/contact-sheet.ts';
import { INDEPENDENT_INK, makeLesions } from '../../../examples/quickstart/lesions.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

it('shows ten lesions of each of the four kinds', async () => {
  const file = folder.at('sheet.png');

  await writeContactSheet(file, makeLesions({ split: 'sheet', count: 80, ink: INDEPENDENT_INK, seed: 0 }));

  expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 10 * 66, height: 4 * 66 });
});
