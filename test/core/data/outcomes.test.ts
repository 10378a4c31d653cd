import { describe, expect, it } from 'vitest';
import { openPredictions } from '../../../core/data/predictions.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

/** Labels and predictions of each class. */
async function outcomes(rows: readonly string[], columns: object, header = 'y,p') {
  const path = await folder.write('table.csv', `g,${header}\n${rows.map((row) => `g,${row}\n`).join('')}`);
  const source = await openPredictions({
    path,
    columns: { label: 'y', sensitiveFeatures: ['g'], ...columns },
  });
  const found: { labels: number[]; predictions: number[] | null; scores: number[] | null }[] = [];
  for await (const chunks of source.chunks()) {
    chunks.forEach(({ labels, predictions, scores }, place) => {
      found[place] ??= { labels: [], predictions: predictions && [], scores: scores && [] };
      const own = found[place];
      own.labels.push(...labels);
      own.predictions?.push(...predictions!);
      own.scores?.push(...scores!);
    });
  }
  source.finish();
  return { classes: source.classes, found };
}

const predicted = { prediction: 'p' };

describe('labels and predictions of two classes', () => {
  it.each<[string, string[], object, number[], number[]]>([
    ['0 and 1', ['1,0', '0,1.0'], {}, [1, 0], [0, 1]],
    ['true and false', ['TRUE,false', 'false,True'], {}, [1, 0], [0, 1]],
    ['words', ['ill,well', 'well,well', 'ill,ill'], { positiveLabel: 'ill' }, [1, 0, 1], [0, 0, 1]],
    ['words and 0/1', ['ill,0', 'well,1'], { positiveLabel: 'ill' }, [1, 0], [0, 1]],
    ['0 for positive', ['0,1', '1,0'], { positiveLabel: '0' }, [1, 0], [0, 1]],
    ['a word and 1', ['ill,1', '1,ill'], { positiveLabel: 'ill' }, [1, 0], [0, 1]],
    ['several positive labels', ['a,c', 'b,a', 'c,b'], { positiveLabels: ['a', 'b'] }, [1, 1, 0], [0, 1, 1]],
    ['several, decided', ['a,0', 'b,1', 'c,1'], { positiveLabels: ['a', 'b'] }, [1, 1, 0], [0, 1, 1]],
    ['numbers above a threshold', ['5,0', '6,1', '5.01,0'], { labelThreshold: 5 }, [0, 1, 1], [0, 1, 0]],
  ])('are read of %s', async (_, rows, columns, labels, predictions) => {
    const { classes, found } = await outcomes(rows, { ...predicted, ...columns });
    expect(classes).toBeNull();
    expect(found).toEqual([{ labels, predictions, scores: null }]);
  });

  it.each<[string, string[], object, string]>([
    ['words without a positive one', ['ill,well', 'well,ill'], {}, 'say which one means 1'],
    [
      'soft predictions',
      ['1,0.2', '0,0.3'],
      {},
      'column "p": expected predictions spelled as the labels are',
    ],
    ['an absent positive label', ['a,a', 'b,b'], { positiveLabels: ['a', 'z'] }, 'received none with "z"'],
    [
      'other predictions',
      ['a,x', 'b,b'],
      { positiveLabels: ['a'] },
      '0/1 or true/false, or labels, received others',
    ],
    [
      'text under a threshold',
      ['x,1'],
      { labelThreshold: 5 },
      'expected a number, since labels have a threshold',
    ],
    [
      'words under a threshold',
      ['6,x'],
      { labelThreshold: 5 },
      'expected predictions 0/1 or true/false, received others',
    ],
    [
      'an empty prediction',
      ['1,1', '0,'],
      {},
      'line 3, column "p": expected a value, received an empty cell',
    ],
  ])('are refused of %s', async (_, rows, columns, message) => {
    await expect(outcomes(rows, { ...predicted, ...columns })).rejects.toThrow(message);
  });

  it('are refused where 1 turns out to be a label long after it was a decision', async () => {
    const rows = ['ill,1', ...Array.from({ length: 20_000 }, () => 'ill,ill'), '1,ill'];
    await expect(outcomes(rows, { ...predicted, positiveLabel: 'ill' })).rejects.toThrow(
      'received 0 or 1 that is a label too',
    );
  });

  it.each([
    [{}, 'neither'],
    [{ score: 'p', prediction: 'q' }, 'both'],
  ])('need exactly one of score and prediction, not %j', async (columns, received) => {
    await expect(outcomes(['1,1'], columns)).rejects.toThrow(
      `expected a score column or a prediction column, received ${received} (--score, --prediction)`,
    );
  });
});

describe('several classes', () => {
  it('are each set against the others, the highest score the prediction', async () => {
    const columns = { classScores: { cat: 'c', dog: 'd', 'a cow': 'e' } };
    const rows = ['cat,0.5,0.3,0.2', 'dog,0.4,0.2,0.4', 'a cow,0,0.5,0.5'];
    const { classes, found } = await outcomes(rows, columns, 'y,c,d,e');
    expect(classes).toEqual(['cat', 'dog', 'a cow']);
    expect(found).toEqual([
      { labels: [1, 0, 0], predictions: [1, 1, 0], scores: [0.5, 0.4, 0] },
      { labels: [0, 1, 0], predictions: [0, 0, 1], scores: [0.3, 0.2, 0.5] },
      { labels: [0, 0, 1], predictions: [0, 0, 0], scores: [0.2, 0.4, 0.5] },
    ]);
  });

  it('may have predictions alone', async () => {
    const { found } = await outcomes(['x,y', 'y,y', 'z,x'], { ...predicted, classes: ['x', 'y', 'z'] });
    expect(found.map(({ labels, predictions }) => [labels, predictions])).toEqual([
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
      [
        [0, 1, 0],
        [1, 1, 0],
      ],
      [
        [0, 0, 1],
        [0, 0, 0],
      ],
    ]);
  });

  it.each<[object, string]>([
    [{ classes: ['x', 'y'] }, 'a column of scores for each class, received neither'],
    [{ classScores: { x: 'p', y: 'p' }, ...predicted }, 'a column of scores for each class, received both'],
    [
      { classes: ['x', 'y'], ...predicted },
      'line 3, column "y": expected one of the 2 classes, received another value',
    ],
  ])('are refused with %j', async (columns, message) => {
    await expect(outcomes(['x,y', 'Jane,x'], columns)).rejects.toThrow(message);
  });
});
