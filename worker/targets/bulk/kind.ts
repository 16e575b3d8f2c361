import type { BulkTargetSpec } from '../../contract.ts';
import type { TargetKind } from '../target-kind.ts';
import { BULK_FRAMING_BYTES } from './action-line.ts';
import { BulkTarget } from './bulk-target.ts';
import { BulkClient } from './send.ts';

/** Indexes of the search cluster. */
export const BULK: TargetKind<BulkTargetSpec> = {
  framingBytes: BULK_FRAMING_BYTES,
  connect(settings, connections) {
    const client = new BulkClient({
      url: settings.search_url,
      authorization: settings.search_authorization,
      requestTimeoutMs: settings.search_timeout_ms,
      connections,
    });
    return {
      open: (names, { definition, keys, share, maxBytesInFlight, signal, now }) =>
        new BulkTarget({
          client,
          share,
          names,
          keys,
          keyColumn: definition.source.key,
          fields: definition.document.map(({ name }) => name),
          keepFields: definition.deadLetters.keepFields,
          versioned: definition.source.changedAt !== null,
          unusableChangedAt: definition.source.unusableChangedAt,
          pipeline: definition.pipeline,
          maxBytesInFlight,
          coolDownMs: settings.cool_down_ms,
          signal,
          now,
          random: Math.random,
        }),
      close: () => client.close(),
    };
  },
};
