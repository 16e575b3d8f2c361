#!/usr/bin/env bash
# waitUntilGroupInService of the AWS SDK for JavaScript is content with an Auto Scaling group that has no instance.
#
# The waiter compares the instances in service with the group's MinSize, not with its desired capacity. A fleet that
# rests at zero has MinSize 0, so right after SetDesiredCapacity 3, with nothing launched, the first look already
# answers SUCCESS. A name that no group has gives an empty list, and SUCCESS as well.
#
# Who is hurt: whoever scales a fleet up from zero and hands out work when the waiter returns; a spell of no capacity
# or a slip in the name then shows up much later and elsewhere.
# Seen in @aws-sdk/client-auto-scaling 3.1169.0; the definition of the waiter is shared with AWS's other SDKs.
# The reference gives the waiter's name and its parameters, and does not say what it compares.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @aws-sdk/client-auto-scaling@3.1169.0

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { AutoScalingClient, waitUntilGroupInService } from '@aws-sdk/client-auto-scaling'

// what the service answers just after the desired capacity went from 0 to 3, and for an unknown name
const groups = {
  fleet: `<member><AutoScalingGroupName>fleet</AutoScalingGroupName><MinSize>0</MinSize><MaxSize>10</MaxSize>
    <DesiredCapacity>3</DesiredCapacity><Instances/></member>`,
  'no-such-fleet': '',
}
let looks = 0
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', () => {
    looks++
    const name = new URLSearchParams(text).get('AutoScalingGroupNames.member.1')
    response.setHeader('content-type', 'text/xml')
    response.end(`<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
      <DescribeAutoScalingGroupsResult><AutoScalingGroups>${groups[name]}</AutoScalingGroups>
      </DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`)
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const client = new AutoScalingClient({
  endpoint: `http://127.0.0.1:${server.address().port}`, region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})

let same = true
for (const [name, what] of [['fleet', 'MinSize 0, DesiredCapacity 3, no instance'], ['no-such-fleet', 'no group of that name']]) {
  looks = 0
  const result = await waitUntilGroupInService({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { AutoScalingGroupNames: [name] })
    .then(({ state }) => state, (error) => error.name)
  console.log(`@aws-sdk/client-auto-scaling 3.1169.0: waitUntilGroupInService, ${what}`)
  console.log('expected: it goes on waiting, and fails at its maxWaitTime')
  console.log(`seen: ${result} at look ${looks}`)
  same &&= result === 'SUCCESS' && looks === 1
}
server.close()
server.closeAllConnections()
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
