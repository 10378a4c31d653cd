import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../../../core/jobs/explanation.ts';
import { maskExplainedSection } from '../../../../core/report/sections/mask-explained.ts';
import { render } from '../../../../core/report/text/html.ts';
import { EXPLANATION, LAYER_PROBE } from '../../../helpers/explanation-sample.ts';
import { textOf } from '../../../helpers/report-samples.ts';

const markup = (changes: Partial<Explanation> = {}) =>
  render(maskExplainedSection({ ...EXPLANATION, ...changes }).body);
const text = (changes: Partial<Explanation> = {}) =>
  textOf(maskExplainedSection({ ...EXPLANATION, ...changes }).body);

describe('maskExplainedSection', () => {
  it('says what the mask holds, by kind, block and layer', () => {
    const said = text();
    expect(said).toContain(
      'The mask holds 50.0 % of the weights, 80.0 % of the importance for the disparity, 40.0 % of the importance for the task.',
    );
    expect(said).toContain('kernel 120 weights 33.3 % 40.0 % of 50.0 % 20.0 % of 50.0 % 50.0 %');
    expect(said).toContain('All 2 layers');
    expect(said).toContain('not defined'); // the task importance of norm scales
  });

  it('shows layers at once where blocks would say the same, and nothing without a body', () => {
    const { composition } = EXPLANATION;
    expect(text({ composition: { ...composition, blocks: composition.layers } })).not.toContain('by block');
    const none = { ...composition, layers: [], blocks: [], kinds: [] };
    expect(text({ composition: none })).toContain('no weights that a mask could hold');
  });

  it('sets overlaps beside chance', () => {
    const said = text();
    expect(said).toContain('0.333 → 0.534');
    expect(said).toContain('Halves even batches against odd ones 0.534 0.333 0.341');
    expect(said).toContain('conv1/kernel 0.400 chance 0.200 not defined');
    expect(text({ stability: [] })).toContain('The mask was compared with no other.');
  });

  it('shows overlaps alone for soft masks, which have no chance', () => {
    const soft = EXPLANATION.stability.map((one) => ({ ...one, chance: null, chanceWithinTensors: null }));
    expect(text({ stability: soft })).not.toContain('by chance0');
    expect(markup({ stability: soft })).not.toContain('by chance</text>');
  });

  it('says what could be read before and after, with intervals, and escapes names', () => {
    const said = text();
    expect(said).toContain(
      'ink <i> could be read with AUC 0.950 before and 0.620 after (change −0.330, −0.350 to −0.310); the label could be read with AUC 0.810 before and 0.800 after',
    );
    expect(said).toContain('Trained on 599 rows of the tune part, measured on 877 rows of test data');
    expect(said).toContain('0.510 by heart 0.710');
    expect(markup()).not.toContain('<i>');
    expect(markup()).not.toContain('<b>plain');
  });

  it('says so where nothing was read, a group is absent, or nothing was tuned', () => {
    const absent = { before: null, after: null, change: null };
    const probesOf = (layer: typeof LAYER_PROBE) => ({ ...EXPLANATION.probes!, layers: [layer] });
    expect(text({ probes: null })).toContain('No layer of the body could be read.');
    expect(text({ probes: probesOf({ ...LAYER_PROBE, attribute: absent }) })).toContain(
      'could not be probed: a group is absent',
    );
    const untuned = { ...LAYER_PROBE.attribute, after: null, change: null };
    expect(text({ probes: probesOf({ ...LAYER_PROBE, attribute: untuned }) })).toContain(
      'ink <i> can be read with AUC 0.950;',
    );
  });

  it('names the strongest place in standard deviations of each model', () => {
    // 1.2 of 2 before, 0.4 of 4 after, at the top right
    expect(text()).toContain(
      'inked : the strongest place before lies 0 pixels from the top and 13 from the left; covering it moves the logit by −0.600 standard deviations before, and by −0.100 after.',
    );
    expect(markup().match(/class="raises"/g)).toHaveLength(4);
    expect(markup().match(/class="lowers"/g)).toHaveLength(2);
  });

  it('shows maps before alone where nothing was tuned, and none for models of numbers', () => {
    const { occlusion } = EXPLANATION;
    const [map] = occlusion!.maps;
    const before = {
      ...occlusion!,
      maps: [{ ...map!, after: null }],
      logitDeviation: { before: 2, after: null },
    };
    expect(text({ occlusion: before })).toContain('by −0.600 standard deviations before.');
    expect(markup({ occlusion: before })).not.toContain('occlusion-0-after');
    expect(text({ occlusion: null })).toContain('No images were covered');
  });

  it('lists channels with the groups in whose images they fire', () => {
    const said = text();
    expect(said).toContain('13 100.0 % 41.9 % inked 20 (9.6) and <b>plain</b> 0 (10.4)');
    expect(said).toContain('2 0.0 % not defined not read not read');
    expect(text({ channels: [] })).toContain('no kernels whose channels could be listed');
    const many = Array.from({ length: 6 }, (_, index) => ({
      ...EXPLANATION.channels[0]!,
      layer: `conv${index}`,
    }));
    expect(text({ channels: many })).toContain('2 more layers');
  });

  it('warns where the body stayed as it was, and lists what was left out', () => {
    expect(text({ isApplied: false })).toContain('the mask below tuned nothing');
    expect(text()).not.toContain('tuned nothing');
    expect(text()).toContain('Activations of 2 of 3 layers were read');
  });
});
