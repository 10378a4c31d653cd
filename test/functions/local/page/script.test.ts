import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { SCRIPT } from '../../../../functions/local/page/script.ts';

describe('the script of the page', () => {
  it('is JavaScript, and cannot end its element early', () => {
    expect(() => new Script(SCRIPT)).not.toThrow();
    expect(SCRIPT).not.toMatch(/<\/|<!--/);
  });

  it('makes no markup and no code of texts', () => {
    // Python's, in what is said of pickles
    const script = SCRIPT.replace('model.eval()', '');
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|srcdoc/);
  });
});
