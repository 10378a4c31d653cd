import { describe, expect, it } from 'vitest';
import { renderImagePage } from '../../../worker/explain/image-page.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { drawPicture } from '../../helpers/made-files.ts';

const folder = useTempFolder();

async function input() {
  const names = ['patient-1.png', 'patient-2.png'];
  for (const [index, name] of names.entries()) {
    await folder.write(name, await drawPicture({ label: 1, group: index === 0 ? 'inked' : 'plain' }, index));
  }
  return { kind: 'image', root: folder.path, paths: names, lines: Int32Array.from([2, 3]) } as const;
}
const channel = (layer: string, index: number, rows: number[]) => ({
  layer,
  channel: index,
  groups: [
    { group: '<b>inked</b>', rows },
    { group: 'plain', rows: [] },
  ],
});

describe('renderImagePage', () => {
  it('embeds small images by layer and channel, with a warning and without their names', async () => {
    const page = await renderImagePage([channel('conv1', 4, [0, 1]), channel('conv2', 7, [1])], {
      input: await input(),
    });
    expect(page).toContain('contains images of people or patients: keep it on this machine');
    expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(3);
    expect(page).toContain('Channel 4');
    expect(page).toContain('&lt;b&gt;inked&lt;/b&gt;');
    expect(page).not.toContain('patient-1');
    expect(page).not.toContain(folder.path);
    expect(page).not.toMatch(/<script|https?:/);
  });

  it('shows three channels of a layer and six images of a group', async () => {
    const rows = Array.from({ length: 9 }, (_, index) => index % 2);
    const channels = [1, 2, 3, 4].map((index) => channel('conv1', index, rows));
    const page = await renderImagePage(channels, { input: await input() });
    expect(page.match(/<h3>/g)).toHaveLength(3);
    expect(page.match(/<img/g)).toHaveLength(18);
  });
});
