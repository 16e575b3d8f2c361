/** What user data tells an instance about its fleet. It has only names: every process on the instance can read user data. */
export interface UserDataSettings {
  /** Path of the workers' settings in Parameter Store. */
  readonly parameters: string;
  /** Where the image has the definitions. */
  readonly definitions: string;
}

/** The most bytes of the script before it is encoded. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html */
export const MOST_USER_DATA_BYTES = 16_384;

/**
 * The script that cloud-init runs once at an instance's first boot. It writes down which fleet the worker belongs to, and
 * starts the image's unit (examples/aws/reindex-worker.service). If the script fails, the instance ends itself.
 */
export function userData({ parameters, definitions }: UserDataSettings): string {
  return `#!/bin/sh
# reindex-fleet: whose worker this instance is. Settings and secrets are in Parameter Store.
set -eu
trap '[ "$?" -eq 0 ] || shutdown -h now' EXIT
mkdir -p /etc/reindex-fleet
cat > /etc/reindex-fleet/worker.env <<'END'
REINDEX_WORKER_PLATFORM=ec2
REINDEX_WORKER_PARAMETERS=${parameters}
REINDEX_WORKER_DEFINITIONS=${definitions}
NODE_USE_SYSTEM_CA=1
END
systemctl start --no-block reindex-worker.service
`;
}
