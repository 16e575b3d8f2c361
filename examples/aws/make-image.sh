#!/bin/sh
# Makes a machine image of workers: a Debian with a clone of a repository at a commit, its packages, and the worker's unit.
#
#   sh examples/aws/make-image.sh https://github.com/you/reindex-fleet.git [COMMIT]
#
# Prints the image's id. COMMIT is the commit of this clone by default: a run gives work only to workers of its own build. The
# region is that of AWS's tools (AWS_REGION). INSTANCE_TYPE (t4g.small) says for which processor the image is. BASE_IMAGE names the
# Debian image to begin with. SUBNET names a subnet with a way to the internet; the default is a default subnet.
# However this ends, it terminates the instance that it makes the image on.
set -eu

repository=${1:?Usage: make-image.sh REPOSITORY [COMMIT]}
commit=${2:-$(git rev-parse HEAD)}
type=${INSTANCE_TYPE:-t4g.small}
base=${BASE_IMAGE:-resolve:ssm:/aws/service/debian/release/13/latest/arm64}

instance=
end_instance() {
  [ -z "$instance" ] || aws ec2 terminate-instances --instance-ids "$instance" >&2
}
trap end_instance EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Runs once, as root, on the new instance. When everything is installed, the instance stops itself. After a failure it keeps
# running, and the wait below ends after its time limit.
install=$(
  cat <<END
#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive HOME=/root
apt-get update
apt-get install --yes --no-install-recommends ca-certificates curl git nodejs npm
# Certificates of RDS's databases. The worker trusts what the machine trusts.
cd /usr/local/share/ca-certificates
curl --fail --silent --show-error https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem |
  awk '/BEGIN CERTIFICATE/ { file = "rds-" ++count ".crt" } { print > file }'
update-ca-certificates
git clone '$repository' /opt/reindex-fleet
cd /opt/reindex-fleet
git checkout --detach '$commit'
npm ci --omit=dev --no-audit --no-fund
cp examples/aws/reindex-worker.service /etc/systemd/system/
systemctl enable reindex-worker
cloud-init clean --logs
shutdown -h now
END
)

instance=$(
  aws ec2 run-instances --image-id "$base" --instance-type "$type" ${SUBNET:+--subnet-id "$SUBNET"} \
    --instance-initiated-shutdown-behavior stop --metadata-options HttpTokens=required \
    --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=reindex-fleet-image}]' \
    --user-data "$install" --query 'Instances[0].InstanceId' --output text
)
echo "installs $commit on $instance; this takes some minutes" >&2
aws ec2 wait instance-stopped --instance-ids "$instance" || {
  echo "$instance did not finish within ten minutes. Its console says why:" >&2
  aws ec2 get-console-output --instance-id "$instance" --latest --output text >&2
  exit 1
}
image=$(
  aws ec2 create-image --instance-id "$instance" \
    --name "reindex-fleet-$(echo "$commit" | cut -c 1-12)-$(date -u +%Y%m%d%H%M%S)" --query ImageId --output text
)
echo "copies the volume of $instance to $image" >&2
aws ec2 wait image-available --image-ids "$image"
echo "$image"
