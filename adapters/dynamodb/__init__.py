"""The store on DynamoDB: one table for any number of processes.

The requests of each operation, and the write and read capacity units (WCU, RCU) that AWS charges
for them: for one-line messages, in a process that has the conversation in its cache, background
writes included. Items of entries cost more for each further KB, and a write whose condition fails
costs as much as one that succeeds. The first claim of a process reads the whole index, and so does
one claim each second; otherwise the index is read only for what other processes have written.

| what | requests | WCU | RCU |
|---|---|---|---|
| AI turn: message and answer, with a notice each | 3 | 7 | 0 |
| the same, with an idempotency key | 3 | 10 | 0 |
| append: a message alone | 1 | 1 | 0 |
| append: a message after half a minute | 2 | 6 | 0 |
| append: the first of a session, with a key | 1 | 13 | 0 |
| append: a status change | 1 | 11 | 0 |
| append: the end | 1 | 13 | 0 |
| latest | 2 | 0 | 2 |
| load | 1 | 0 | 1 |
| page of 20 | 1 | 0 | 1 |
| stored | 1 | 0 | 1 |
| due, no session | 4 | 0 | 2 |
| due, one session | 5 | 0 | 3 |
| list_sessions of a business, one | 17 | 0 | 9 |
| claim, no notice | 4 | 0 | 2 |
| claim and settle, delivered | 6 | 5 | 2 |
| claim and settle, both notices of a turn | 11 | 10 | 4.5 |
| AI turn, with its notices claimed and settled | 9 | 17 | 2 |
| claim and settle, deferred | 6 | 6 | 2 |
| claim and settle, undeliverable | 6 | 6 | 2 |
| depth | 8 | 0 | 4 |
| dead and retry | 6 | 6 | 4 |
| dead and drop | 4 | 2 | 2 |
| add | 1 | 2 | 0 |
| spent, in 31 days | 1 | 0 | 1 |
| erase: one conversation of 10 messages | 13 | 18 | 9 |

Only the reads of `retry` and the cost of `erase` grow with the length of the conversation.
"""
