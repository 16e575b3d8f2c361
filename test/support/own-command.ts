import { join } from 'node:path';
import type { CommandContext } from '../../orchestrator/command/command.ts';
import { connectFleet } from '../../orchestrator/fleet/connect-fleet.ts';
import { openOffline } from '../../orchestrator/run/offline.ts';
import { loadSettings } from '../../orchestrator/settings.ts';
import type { RunSetup } from './run-setup.ts';
import { SILENT_REPORTER } from './silent-reporter.ts';

/** Describes this process as `reindex-fleet --run-key k`. */
export async function commandOf({ folder }: Pick<RunSetup, 'folder'>): Promise<CommandContext> {
  const flags = { settings: join(folder, 'reindex-fleet.yaml'), runKey: 'k' };
  const settings = await loadSettings(flags, {}, folder);
  return {
    offline: await openOffline(settings, {}),
    flags,
    reporter: SILENT_REPORTER,
    output: process,
    workers: await connectFleet(settings),
    signal: new AbortController().signal,
  };
}
