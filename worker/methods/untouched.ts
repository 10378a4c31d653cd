import type { Method } from './method.ts';

export const untouched: Method = {
  name: 'untouched',
  about: 'The model as it is, at the threshold that it has.',
  source: 'reference',
  expectedEpochs: () => 0,
  propose: async () => ({ kind: 'unchanged' }),
};
