/** Settings of the method by name; their numbers are in worker/bmft/options.ts. */
export const PRESET_NAMES = ['robust', 'bmft-released', 'swift-released'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Disparities that can be lowered. */
export const METRIC_NAMES = ['demographicParity', 'equalOpportunity', 'equalizedOdds'] as const;
export type DisparityMetric = (typeof METRIC_NAMES)[number];
