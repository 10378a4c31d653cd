import { type BadInput, CANARY, testBadInputs } from '../../helpers/cli.ts';
import { drawPicture, useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const AUDIT = 'audit --predictions bad.csv --label y --score score --sensitive sex';
const GOOD = `${CANARY},1,0.9,f`;

/** A predictions table of these rows after a good one. */
const scores = (...rows: readonly string[]) => ['id,y,score,sex', GOOD, ...rows, ''].join('\n');

/** A whole file, the message after its name, and the flags when they are others. */
function file(content: NonNullable<BadInput['files']>[string], says: string, line = AUDIT): BadInput {
  return { files: { 'bad.csv': content }, line, says: `bad.csv${says}` };
}

/** A score on line 3. */
function score(cell: string, received: string): BadInput {
  const place = ', line 3, column "score"';
  return file(scores(`${CANARY},0,${cell},m`), `${place}: expected a score in [0, 1], received ${received}`);
}

testBadInputs('a predictions table, as a file,', {
  'that is absent': {
    line: AUDIT,
    says: 'bad.csv: cannot be read (ENOENT)',
    exit: [64, 'STORAGE'],
  },
  'that is a folder': {
    line: AUDIT.replace('bad.csv', 'images'),
    says: 'images: cannot be read (EISDIR)',
    exit: [64, 'STORAGE'],
  },
  'that is empty': file('', ': expected a header and at least one row, received an empty file'),
  'that has a header only': file(
    'id,y,score,sex\n',
    ': expected a header and at least one row, received a header without rows',
  ),
  'that lacks a column': file(
    `id,y,sex\n${CANARY},1,f\n`,
    ': expected a column "score", received the columns "id", "y", "sex"',
  ),
  'with one column name twice': file(
    'y,score,sex,y\n1,0.5,f,1\n',
    ': expected distinct column names, received "y" twice',
  ),
  'with a ragged row': file(
    scores(`${CANARY},0,0.1`),
    ', line 3: expected 4 cells as in the header, received 3',
  ),
  'with an open quote': file(
    scores(`"${CANARY},0,0.1,m`),
    ', line 3: expected every quote to be closed, received one left open',
  ),
  'with a stray quote': file(
    scores(`${CANARY}"x,0,0.1,m`),
    ', line 3: expected quotes around a whole cell, those inside it doubled, received a stray quote',
  ),
  'with semicolons': file(
    scores().replaceAll(',', ';'),
    ': expected a column "y", received the columns "id;y;score;sex" (cells must be separated by commas)',
  ),
  'with an endless cell': file(
    scores(`${CANARY.repeat(100_000)},0,0.1,m`),
    ', line 3: expected a row of at most 1048576 bytes, received a longer one (is a quote left open?)',
  ),
  'that is a picture': file(
    () => drawPicture({ label: 1, group: 'plain' }, 0),
    ': expected CSV in UTF-8, received binary content (NUL bytes)',
  ),
  'in UTF-16': file(
    Buffer.from(`\uFEFF${scores()}`, 'utf16le'),
    ': expected CSV in UTF-8, received UTF-16 text',
  ),
  'in Latin-1': file(
    Buffer.from(scores('\xe9,1,0.9,f'), 'latin1'),
    ': expected CSV in UTF-8, received bytes that are no UTF-8 (another encoding?)',
  ),
});

testBadInputs('a predictions table, by its cells,', {
  'with a score that is NaN': score('NaN', 'NaN'),
  'with a score that is infinite': score('-inf', 'an infinity'),
  'with a score above 1': score('4711', 'a number above 1'),
  'with a score below 0': score('-0.1', 'a number below 0'),
  'with text for a score': score(CANARY, `text of ${CANARY.length} characters`),
  'with an empty score': score('', 'an empty cell'),
  'with an empty label': file(
    scores(`${CANARY},,0.1,m`),
    ', line 3, column "y": expected a value, received an empty cell',
  ),
  'with three labels': file(
    scores('1,0,0.1,m', '1,2,0.1,m'),
    ', column "y": expected two labels, received 3 distinct values: "0", "1", "2"',
  ),
  'with labels in words': file(
    'y,score,sex\nill,0.9,f\nwell,0.1,m\n',
    ', column "y": expected labels 0/1 or true/false, received 2 distinct values: "ill", "well"; say which one means 1 (positiveLabel, --positive-label)',
  ),
  'without the positive label': file(
    'y,score,sex\nill,0.9,f\nwell,0.1,m\n',
    ', column "y": expected the positive label "sick" in some row, received 2 distinct values: "ill", "well"',
    `${AUDIT} --positive-label sick`,
  ),
  'with identifiers for groups': file(
    scores(...Array.from({ length: 1000 }, (_, row) => `${CANARY}-${row},1,0.5,f`)),
    ', column "id": expected at most 1000 distinct values, received more (an identifier or a measurement?)',
    AUDIT.replace('sex', 'id'),
  ),
  'with one group in two spellings': file(
    'y,score,sex\n1,0.9,1\n0,0.1,1.0\n',
    ', column "sex": expected one spelling per group, received "1" and "1.0" for one number',
  ),
  'with a group of a reserved name': file(
    scores('1,1,0.9,(missing)'),
    ', line 3, column "sex": expected a group, received "(missing)", which names the rows without one; leave the cell empty',
  ),
  'with predictions spelled another way': file(
    'y,answer,sex\n1,yes,f\n0,no,m\n',
    ', column "answer": expected predictions spelled as the labels are (2 distinct values: "0", "1"), received 2 distinct values: "no", "yes"',
    'audit --predictions bad.csv --label y --prediction answer --sensitive sex',
  ),
});

testBadInputs('a predictions table, by its flags,', {
  'with neither score nor prediction': file(
    scores(),
    ': expected a score column or a prediction column, received neither (--score, --prediction)',
    AUDIT.replace('--score score', ''),
  ),
  'with score and prediction': file(
    scores(),
    ': expected a score column or a prediction column, received both (--score, --prediction)',
    `${AUDIT} --prediction id`,
  ),
  'without a label column': {
    line: AUDIT.replace('--label y', ''),
    says: '--label: expected the column with the truth, received nothing',
  },
  'without a sensitive feature': {
    line: AUDIT.replace('--sensitive sex', ''),
    says: '--sensitive: expected at least one column, received nothing',
  },
  'with the label for its sensitive feature': {
    line: AUDIT.replace('sex', 'y'),
    says: 'columns: "sensitiveFeatures[0]" is the label column as well',
  },
});

/** A row of features on line 2. */
function features(cells: string, says: string): BadInput {
  const flags = '--label malignant --sensitive ink --preprocess table.json';
  const line = `audit --model table-model --manifest bad.csv ${flags}`;
  return file(`malignant,ink,size,depth,site\n1,inked,${cells}\n`, `, line 2, column ${says}`, line);
}

testBadInputs('a row of features', {
  'with text for a number': features(
    `${CANARY},1,north`,
    `"size": expected a number, received text of ${CANARY.length} characters`,
  ),
  'with an empty cell': features(',1,north', '"size": expected a number, received an empty cell'),
  'with an unknown category': features(
    `5,1,${CANARY}`,
    `"site": expected one of the 2 categories, received text of ${CANARY.length} characters`,
  ),
});
