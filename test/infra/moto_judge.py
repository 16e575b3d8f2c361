"""What moto's IAM says of policies: reads [{"document", "action", "resource"}, …], prints a decision for each."""

import json
import sys

from moto.iam.access_control import IAMPolicy

cases = json.load(sys.stdin)
decisions = [
    IAMPolicy(json.dumps(case["document"])).is_action_permitted(case["action"], case["resource"]).name
    for case in cases
]
json.dump(decisions, sys.stdout)
