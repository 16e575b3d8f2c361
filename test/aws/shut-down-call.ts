/** What a worker's shutdown command runs on a machine of the machine room: it asks the room, which turns it off. */
const [url = ''] = process.argv.slice(2);
const answer = await fetch(url, { method: 'POST' });
if (!answer.ok) throw new Error(`The machine room answers ${answer.status}.`);
