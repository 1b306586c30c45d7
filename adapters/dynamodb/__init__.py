"""The store on DynamoDB: one table, any number of processes.

What it asks of the table, and what AWS charges for that in units of writing (WCU) and reading
(RCU): for messages of a line, in a process that knows the conversation. What is done in the
background is counted, too. An item of entries is charged for each further KB, a condition that
fails as if it had not. The first claim of a process looks at the whole index, and so does one each
second: but for that, and for what others have done, it need not be asked.

| what | requests | WCU | RCU |
|---|---|---|---|
| AI turn: message and answer, a notice of each | 3 | 7 | 0 |
| the same, the message with a key | 3 | 10 | 0 |
| append: a message alone | 1 | 1 | 0 |
| append: a message after half a minute | 2 | 6 | 0 |
| append: the first of a session, with a key | 1 | 13 | 0 |
| append: a status change | 1 | 11 | 0 |
| append: the end | 1 | 13 | 0 |
| latest | 2 | 0 | 2 |
| load | 1 | 0 | 1 |
| page of 20 | 1 | 0 | 1 |
| stored | 1 | 0 | 1 |
| due, nothing is | 4 | 0 | 2 |
| due, one session is | 5 | 0 | 3 |
| list_sessions of a business, one | 17 | 0 | 9 |
| claim, nothing waits | 4 | 0 | 2 |
| claim and settle, delivered | 6 | 5 | 2 |
| two claims and settles, of a turn | 11 | 10 | 4.5 |
| AI turn, its notices claimed and settled | 9 | 17 | 2 |
| claim and settle, deferred | 6 | 6 | 2 |
| claim and settle, undeliverable | 6 | 6 | 2 |
| depth | 8 | 0 | 4 |
| dead and retry | 6 | 6 | 4 |
| dead and drop | 4 | 2 | 2 |
| add to what a business has spent | 1 | 2 | 0 |
| spent, in 31 days | 1 | 0 | 1 |
| erase: one conversation of 10 messages | 13 | 18 | 9 |

Only what `retry` reads and what `erase` does grows with the length of the conversation.
"""
