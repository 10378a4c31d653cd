import { beforeAll, describe, expect, test } from 'vitest';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { contextOf, makeTableBench } from '../../helpers/bench.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { writeTableClassifier } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('last-layer fairness fine-tuning', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  beforeAll(() => writeTableClassifier(folder.at('wide')));

  test('has a smaller fairness term at its solution the more that term weighs, and the body as it was', async () => {
    const model = await loadTfjsLayers(folder.at('wide'));
    const body = model.body.map(({ name, variable }) => [name, [...variable.dataSync()]] as const);
    const proposal = await METHODS.llft!.propose(await contextOf(makeTableBench(model)));
    model.dispose();
    if (proposal.kind !== 'candidates') throw new TypeError('llft gives candidates');
    const weights = proposal.candidates.map(({ settings }) => settings.headDisparityWeight);
    expect(weights).toEqual([0.1, 0.3, 1, 3, 10, 30]);
    const terms = proposal.candidates.map(({ curves }) => curves.head.at(-1)!.disparityLoss);
    // of two minimisers of f + a·g and f + b·g with a < b, the second has the smaller g
    terms.slice(1).forEach((term, place) => {
      expect(term).toBeLessThan(terms[place]! + 1e-4); // as far as the solver goes
    });
    expect(terms.at(-1)!).toBeLessThan(0.8 * terms[0]!);
    for (const { snapshot } of proposal.candidates) {
      for (const [name, values] of body) expect([...snapshot.get(name)!]).toEqual(values);
    }
  });
});
