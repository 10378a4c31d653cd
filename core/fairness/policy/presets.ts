import { z } from 'zod';
import { type Policy, policySchema } from './schema.ts';

/** A handful of rows says nothing about a rate. */
const SOME = { positives: 10, negatives: 10 };

const PRESETS = {
  // 29 CFR 1607.4(D): a selection rate below four fifths of the highest group's is evidence of adverse impact
  'four-fifths': {
    name: 'Four-fifths rule (29 CFR 1607.4 D)',
    rules: [{ metric: 'demographicParityRatio', min: 0.8, minSupport: { group: 30 } }],
  },
  // 6 RCNY § 5-301 asks for the ratios and sets no limit, so a low one is a warning
  'nyc-local-law-144': {
    name: 'New York City Local Law 144: impact ratios',
    rules: [{ metric: 'demographicParityRatio', min: 0.8, severity: 'warning', minSupport: { group: 30 } }],
  },
  'equalized-odds-0.1': {
    name: 'Equalised odds within 0.1',
    rules: [{ metric: 'equalizedOddsDifference', max: 0.1, minSupport: SOME }],
  },
  'no-regression': {
    name: 'No worse than the baseline',
    rules: [
      { metric: 'equalizedOddsDifference', maxWorsening: 0.02, minSupport: SOME },
      { metric: 'demographicParityDifference', maxWorsening: 0.02 },
      { metric: 'worstGroupAuc', maxWorsening: 0.02, minSupport: SOME },
      { metric: 'overallAuc', maxWorsening: 0.02 },
    ],
  },
} as const;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

export const isPresetName = (name: string): name is PresetName => Object.hasOwn(PRESETS, name);

export function presetPolicy(name: PresetName): Policy {
  return policySchema.parse(PRESETS[name]);
}

/** A policy spelled out, or the name of a preset. */
export const policyChoiceSchema = z.union([z.enum(PRESET_NAMES).transform(presetPolicy), policySchema]);
