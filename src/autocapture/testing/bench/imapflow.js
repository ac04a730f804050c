// Reads envelope and header fields of every message of the inbox; prints seconds and messages as JSON.
const { ImapFlow } = require('imapflow');

const { port, username, password, fields } = JSON.parse(process.argv[2]);

(async () => {
    const started = process.hrtime.bigint();
    const client = new ImapFlow({
        host: '127.0.0.1', port, secure: false, doSTARTTLS: false, logger: false,
        auth: { user: username, pass: password },
    });
    await client.connect();
    const lock = await client.getMailboxLock('INBOX', { readOnly: true });
    let messages = 0;
    for await (const message of client.fetch('1:*', { uid: true, envelope: true, headers: fields })) {
        if (message.envelope && message.headers) messages += 1;
    }
    lock.release();
    await client.logout();
    console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - started) / 1e9, messages }));
})();
