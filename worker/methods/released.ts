import type { PresetName } from '../../core/jobs/schema.ts';
import { PRESETS } from '../bmft/options.ts';
import { prepare } from '../run-job.ts';
import { tune } from '../tune.ts';
import type { Method } from './method.ts';

export const bmftReleased = released('bmft-released', 'arXiv 2408.06890 and its code');
export const swiftReleased = released('swift-released', 'arXiv 2508.18826 and its code');

/**
 * A preset that has no selection: the whole external set trains it and its last epoch is the result, at the
 * threshold that the model has. Where no test split is audited it has thus been trained on what it is audited on.
 */
function released(name: Exclude<PresetName, 'robust'>, source: string): Method {
  return {
    name,
    about: `The preset ${name} as it is: fixed settings, all external data, last epoch kept, no selection.`,
    source,
    expectedEpochs: () => 1.5 + 1.5 * (PRESETS[name].body.epochs + 10),
    propose: async ({ parts, job, random }) => {
      const { groupNames } = parts.tune;
      if (groupNames.length !== 2) {
        return { kind: 'not-applicable', reason: `defined for 2 groups, the data have ${groupNames.length}` };
      }
      const rows = [...parts.tune.rows, ...parts.select!.rows].sort((a, b) => a - b);
      const whole = { ...parts, tune: { ...parts.tune, rows }, select: null };
      const options = { ...PRESETS[name], metric: job.options.metric };
      await tune(await prepare({ ...job, options }, whole, random));
      return { kind: 'as-left' };
    },
  };
}
