#!/usr/bin/env bash
# moto deletes an Auto Scaling group that still has instances, unforced, and a protected instance runs on without it.
#
# AWS documents for DeleteAutoScalingGroup that a group with instances, or with activities in progress, is deleted only
# when the call says ForceDelete. moto deletes it either way with status 200. The instances that are not protected
# from scale-in end with it; the protected one, as a worker that is busy would be, stays running, belongs to no group,
# and no later call of Auto Scaling finds it.
#
# Who is hurt: whoever tests the end of a fleet against moto: a clean-up that deletes the group without waiting for
# zero is green there, while on AWS it is refused and the fleet stays up. And a test that looks for leaked instances
# finds one for a reason that AWS does not have.
# Seen in moto 5.2.5. Its list of what is implemented has the call ticked, without a remark.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'moto[autoscaling,ec2]==5.2.5' boto3==1.44.8

cat >try.py <<'PY'
import os
import sys

import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")
with mock_aws():
    ec2, autoscaling = boto3.client("ec2"), boto3.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    template = {"LaunchTemplateName": "worker", "LaunchTemplateData": {"ImageId": image, "InstanceType": "m5.large"}}
    ec2.create_launch_template(**template)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="fleet", MinSize=0, MaxSize=2, DesiredCapacity=2,
        LaunchTemplate={"LaunchTemplateName": "worker", "Version": "1"},
        VPCZoneIdentifier=ec2.describe_subnets()["Subnets"][0]["SubnetId"],
    )
    group = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    busy = group["Instances"][0]["InstanceId"]
    autoscaling.set_instance_protection(
        AutoScalingGroupName="fleet", InstanceIds=[busy], ProtectedFromScaleIn=True
    )
    try:
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName="fleet")
        deleted = "deleted"
    except autoscaling.exceptions.ClientError as error:
        deleted = error.response["Error"]["Code"]
    groups = len(autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"])
    members = len(autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"])
    states = {
        "the protected one" if one["InstanceId"] == busy else "the other": one["State"]["Name"]
        for reservation in ec2.describe_instances()["Reservations"] for one in reservation["Instances"]
    }

print("moto 5.2.5: DeleteAutoScalingGroup without ForceDelete, two instances in service, one protected from scale-in")
print("expected: ResourceInUse, as the group has instances; group and instances stay")
seen = ", ".join(f"{name} is {state}" for name, state in sorted(states.items()))
print(f"seen: {deleted}; groups {groups}; instances known to Auto Scaling {members}; in EC2 {seen}")
same = (deleted, groups, members) == ("deleted", 0, 0)
same = same and states == {"the protected one": "running", "the other": "terminated"}
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
python/bin/python try.py
