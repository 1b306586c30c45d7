"""The store on DynamoDB: one table for any number of processes.

The requests of each operation, and the write and read capacity units (WCU, RCU) that AWS charges
for them: for one-line messages, in a process that has the conversation in its cache, background
writes included. Items of entries cost more for each further KB, as do the markers of the outbox for
each 37 notices that wait in a lane of a session; a write whose condition fails costs as much as one
that succeeds. A claim reads the index of its lane only when the last time was a second ago, for
what other processes have written: so a process that polls both lanes every five seconds, and finds
nothing, uses 0.8 RCU each second. Once a minute it looks for notices of the former version, as the
first claim of a process does.

| what | requests | WCU | RCU |
|---|---|---|---|
| AI turn: message and answer, with a notice each | 3 | 12 | 0 |
| the same, with an idempotency key | 3 | 14 | 0 |
| AI turn, half a minute after the entry before | 3 | 18 | 0 |
| append: a message alone | 1 | 1 | 0 |
| append: a message after half a minute | 1 | 8 | 0 |
| append: the first of a session, with a key | 1 | 13 | 0 |
| append: a status change | 1 | 13 | 0 |
| append: the end | 1 | 15 | 0 |
| latest | 2 | 0 | 2 |
| load | 1 | 0 | 1 |
| page of 20 | 1 | 0 | 1 |
| stored | 1 | 0 | 1 |
| due, no session | 4 | 0 | 2 |
| due, one session | 5 | 0 | 3 |
| list_sessions of a business, one | 17 | 0 | 9 |
| claim, no notice | 0 | 0 | 0 |
| claim, no notice, a second later | 4 | 0 | 2 |
| claim, no notice, the first of a process | 12 | 0 | 6 |
| claim and settle, delivered | 4 | 4 | 1 |
| claim and settle, both notices of a turn | 8 | 7 | 2 |
| AI turn, with its notices claimed and settled | 11 | 21 | 2 |
| the same, with a key | 11 | 23 | 2 |
| claim and settle, deferred | 3 | 4 | 1 |
| claim and settle, undeliverable | 3 | 7 | 1 |
| depth | 9 | 0 | 5 |
| dead and retry | 6 | 6 | 4 |
| dead and drop | 4 | 2 | 2 |
| add | 1 | 2 | 0 |
| counts, in 31 days | 1 | 0 | 1 |
| lease: claim, or renew | 1 | 1 | 0 |
| lease: release | 1 | 1 | 0 |
| erase: one conversation of 10 messages | 13 | 18 | 9 |

Only the cost of `erase` grows with the length of the conversation.
"""
