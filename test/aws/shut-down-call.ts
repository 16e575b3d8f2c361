/** The shutdown command of a worker on a machine of the machine room. It asks the room, which turns the machine off. */
const [url = ''] = process.argv.slice(2);
const answer = await fetch(url, { method: 'POST' });
if (!answer.ok) throw new Error(`The machine room answers ${answer.status}.`);
