import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uploadedKeys } from '../../../functions/lib/upload-event.ts';
import { s3BridgeEvent, s3Notification } from '../events.ts';

describe('uploadedKeys', () => {
  it('gives the key that was written, in whichever of both forms it comes', () => {
    const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map((name) => `uploads/${name}`);
    fc.assert(
      fc.property(key, (written) => {
        expect(uploadedKeys(s3Notification(written))).toEqual([written]);
        expect(uploadedKeys(s3BridgeEvent(written))).toEqual([written]);
      }),
    );
  });

  it('has every key of a notification once', () => {
    expect(uploadedKeys(s3Notification('a', 'b', 'a'))).toEqual(['a', 'b']);
  });

  it('leaves out records of other kinds', () => {
    const { Records } = s3Notification('a', 'b') as { Records: object[] };
    const removed = { ...Records[0], eventName: 'ObjectRemoved:Delete' };
    expect(uploadedKeys({ Records: [removed, null, 7, Records[1]] })).toEqual(['b']);
  });

  it.each([null, {}, { Records: 1 }, s3BridgeEvent('a', 'Object Deleted')])('is empty for %j', (event) => {
    expect(uploadedKeys(event)).toEqual([]);
  });
});
