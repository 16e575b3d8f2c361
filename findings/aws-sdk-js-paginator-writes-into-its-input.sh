#!/usr/bin/env bash
# A paginator of the AWS SDK for JavaScript leaves its last token in the object that the caller handed to it: a second
# listing from the same object begins, and ends, at the last page.
#
# paginateDescribeInstances({ client }, input) sets input.NextToken before each request. When it is done, the token of
# the last page is still there, and the next paginator over that object starts from it. A plain command made from the
# object gets the last page too.
#
# Who is hurt: whoever keeps the filter of a fleet in one constant and lists it each tick: the first tick sees every
# instance, all later ones only the last page, so instances that run look gone, are replaced, or are never ended.
# Seen in @aws-sdk/client-ec2 3.1169.0. In 3.100.0 and 3.600.0 the token was left in the object as well, which misled a
# plain command, but a second paginator began anew. The documents nowhere say that the input is changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @aws-sdk/client-ec2@3.1169.0

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { DescribeInstancesCommand, EC2Client, paginateDescribeInstances } from '@aws-sdk/client-ec2'

// three pages of one instance each; a request without a token gets the first
const pages = { first: ['i-1', 'second'], second: ['i-2', 'third'], third: ['i-3', ''] }
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', () => {
    const [id, next] = pages[new URLSearchParams(text).get('NextToken') ?? 'first']
    response.setHeader('content-type', 'text/xml')
    response.end(`<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item>
      <instancesSet><item><instanceId>${id}</instanceId></item></instancesSet></item></reservationSet>
      ${next && `<nextToken>${next}</nextToken>`}</DescribeInstancesResponse>`)
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const client = new EC2Client({
  endpoint: `http://127.0.0.1:${server.address().port}`, region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})
const ids = (page) => page.Reservations.flatMap((one) => one.Instances.map((instance) => instance.InstanceId))
const input = { Filters: [{ Name: 'tag:fleet', Values: ['reindex'] }] }

const list = async () => {
  const found = []
  for await (const page of paginateDescribeInstances({ client }, input)) found.push(...ids(page))
  return found
}

const first = await list()
const second = await list()
const plain = ids(await client.send(new DescribeInstancesCommand(input)))
server.close()
server.closeAllConnections()

console.log('@aws-sdk/client-ec2 3.1169.0: paginateDescribeInstances twice, then DescribeInstances, from one input object')
console.log('expected: i-1, i-2, i-3 twice, then the first page, i-1')
console.log(`seen: ${first.join(', ')}; then ${second.join(', ')}; then ${plain.join(', ')}; input.NextToken is ${input.NextToken}`)
const same = first.join() === 'i-1,i-2,i-3' && second.join() === 'i-3' && plain.join() === 'i-3' && input.NextToken === 'third'
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
