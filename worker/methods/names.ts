/** Every method, in the order of the table; apart from the methods themselves, which need an engine. */
export const METHOD_NAMES = [
  'untouched',
  'group-thresholds',
  'batch-norm',
  'head-only',
  'llft',
  'dfr',
  'reweighting',
  'disparity',
  'reweighting-disparity',
  'group-dro',
  'fairprune',
  'diff-bias',
  'random-mask',
  'all-ones-mask',
  'bmft-released',
  'swift-released',
  'robust',
] as const;

/** Controls of a mask. */
export const CONTROLS = ['random-mask', 'all-ones-mask', 'head-only'] as const;

/** The mask against its controls, beside the model as it is. */
export const DEFAULT_METHODS = ['untouched', 'head-only', 'random-mask', 'all-ones-mask', 'robust'] as const;
