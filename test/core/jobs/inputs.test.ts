import { describe, expect, it } from 'vitest';
import { inputVersions } from '../../../core/jobs/inputs.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';
import { AUDIT, MITIGATION, putInputs, START } from './fixtures.ts';

describe('inputVersions', () => {
  it.each([AUDIT, MITIGATION])('accepts a $kind whose inputs were uploaded', async (request) => {
    const store = makeMemoryStore();
    await putInputs(store);
    await expect(inputVersions(store, request)).resolves.toBeInstanceOf(Array);
  });

  it.each([
    [AUDIT.predictions, AUDIT],
    [MITIGATION.manifest, MITIGATION],
    ['uploads/set/model/model.json', MITIGATION],
  ])('are others after %s was uploaded again, though its bytes are the same', async (key, request) => {
    let time = START.getTime();
    const store = makeMemoryStore({ now: () => new Date(time) });
    await putInputs(store);
    const versions = await inputVersions(store, request);
    await store.put('uploads/set/a.png', 'x');
    expect(await inputVersions(store, request)).toEqual(versions);
    time += 1000;
    await store.write(key, (await store.read(key))!.body);
    expect(await inputVersions(store, request)).not.toEqual(versions);
  });

  it('are others after an ONNX model was uploaded again, and none for files beside it', async () => {
    let time = START.getTime();
    const store = makeMemoryStore({ now: () => new Date(time) });
    await putInputs(store);
    await store.delete('uploads/set/model/model.json');
    await store.put('uploads/set/model/net.onnx', 'x');
    const versions = await inputVersions(store, MITIGATION);
    expect(await inputVersions(store, { ...MITIGATION, model: 'uploads/set/model/net.onnx' })).toEqual(
      versions,
    );
    time += 1000;
    await store.put('uploads/set/model/net.onnx.data', 'x');
    expect(await inputVersions(store, MITIGATION)).toEqual(versions);
    await store.put('uploads/set/model/net.onnx', 'x');
    expect(await inputVersions(store, MITIGATION)).not.toEqual(versions);
  });

  it('refuses a model that no worker could read, and a pickle by what to do instead', async () => {
    const store = makeMemoryStore();
    await putInputs(store);
    await store.delete('uploads/set/model/model.json');
    await store.put('uploads/set/model/net.pt', 'x');
    const refusal = () => inputVersions(store, MITIGATION).catch((error: unknown) => error);
    expect(await refusal()).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^model: a pickle runs code when it is read.*torch\.onnx\.export/),
      details: { issues: [expect.stringMatching(/^"model" is refused: a pickle/)] },
    });
    const { info } = store;
    store.info = async (key) => {
      const found = await info(key);
      return found && { ...found, bytes: 2 ** 31 };
    };
    await store.put('uploads/set/model/net.onnx', 'x');
    expect(await refusal()).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model: expected a file of at most 2147483647 bytes, received 2147483648',
    });
  });

  it.each([
    ['predictions', AUDIT, 'uploads/table/scores.csv'],
    ['manifest', MITIGATION, 'uploads/set/labels.csv'],
    ['model', MITIGATION, 'uploads/set/model/model.json'],
  ])('names %s when it is missing, and not its key', async (field, request, key) => {
    const store = makeMemoryStore();
    await putInputs(store);
    await store.delete(key);
    const error = (await inputVersions(store, request).catch((caught: Error) => caught)) as Error;
    expect(error).toMatchObject({ code: 'INVALID_INPUT', details: { where: field } });
    expect(JSON.stringify([error.message, error])).not.toContain('uploads/');
  });
});
