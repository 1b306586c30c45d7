BEGIN;
CREATE TABLE chats (
        number INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL UNIQUE,
        business_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        waiting_since INTEGER,
        wish_at INTEGER,
        body BLOB NOT NULL
    , missed_at INTEGER);
CREATE INDEX chats_of_customer ON chats (business_id, user_id, number);
CREATE INDEX open_chats ON chats (business_id, waiting_since)
        WHERE waiting_since IS NOT NULL;
CREATE INDEX wishing_chats ON chats (wish_at) WHERE wish_at IS NOT NULL;
CREATE TABLE words (
        number INTEGER PRIMARY KEY,
        place TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (place, message_id)
    );
CREATE INDEX words_of_place ON words (place, number);
CREATE TABLE answers (
        key TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    );
CREATE INDEX answers_by_age ON answers (at);
CREATE INDEX missed_chats ON chats (business_id, missed_at)
        WHERE missed_at IS NOT NULL;
CREATE TABLE waits (
        number INTEGER PRIMARY KEY,
        business_id TEXT NOT NULL,
        wait_ms INTEGER NOT NULL
    );
CREATE INDEX waits_of_business ON waits (business_id, number);
INSERT INTO chats VALUES (1, 's-paul', 'bistro-1', 'paul', 1795809610000, NULL, CAST('{"session_id":"s-paul","customer":["bistro-1","paul"],"since":"2026-11-27T20:00:52Z","location_id":null,"status":"live","coordinator_id":"ion","waiting_since":"2026-11-27T20:00:10Z","transfer_id":"t-s-paul","reason":"user_request","context":{},"summary":null,"told_at":"2026-11-27T20:00:52Z","wishes":[],"missed":null,"attended_until":null}' AS BLOB), NULL);
INSERT INTO chats VALUES (2, 's-rita', 'bistro-1', 'rita', 1795809662000, NULL, CAST('{"session_id":"s-rita","customer":["bistro-1","rita"],"since":"2026-11-27T20:01:09.500000Z","location_id":null,"status":"live","coordinator_id":"ion","waiting_since":"2026-11-27T20:01:02Z","transfer_id":"t-s-rita","reason":"user_request","context":{},"summary":null,"told_at":"2026-11-27T20:01:09.500000Z","wishes":[],"missed":null,"attended_until":null}' AS BLOB), NULL);
INSERT INTO chats VALUES (3, 's-paul-2', 'hotel-2', 'paul', 1795809679500, NULL, CAST('{"session_id":"s-paul-2","customer":["hotel-2","paul"],"since":"2026-11-27T20:06:19.500000Z","location_id":null,"status":"live","coordinator_id":"ion","waiting_since":"2026-11-27T20:01:19.500000Z","transfer_id":"t-s-paul-2","reason":"user_request","context":{},"summary":null,"told_at":"2026-11-27T20:06:19.500000Z","wishes":[],"missed":null,"attended_until":null}' AS BLOB), NULL);
INSERT INTO chats VALUES (4, 's-ana', 'bistro-1', 'ana', NULL, NULL, CAST('{"session_id":"s-ana","customer":["bistro-1","ana"],"since":"2026-11-27T20:07:19.500000Z","location_id":"loc-1","status":"ai","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":null,"wishes":[],"missed":{"text":"Sau mâine, „dimineața”.","reason":"user_request","context":{"summary":"Sau mâine,","language":"ro","lastMessages":[{"seq":1,"author":"user","message":"Bună \"seara\"! 🍷","timestamp":"2026-11-27T20:00:00.000Z"}]},"at":"2026-11-27T20:08:19.500000Z"},"attended_until":null}' AS BLOB), 1795810099500);
INSERT INTO chats VALUES (5, 's-dan', 'bistro-1', 'dan@example.com', NULL, NULL, CAST('{"session_id":"s-dan","customer":["bistro-1","dan@example.com"],"since":"2026-11-27T20:10:19.500000Z","location_id":"loc-1","status":"closed","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":"2026-11-27T20:10:19.500000Z","wishes":[],"missed":{"text":"Pot muta rezervarea?","reason":"ai_decision","context":{"summary":"Pot muta r","language":"ro","lastMessages":[{"seq":1,"author":"user","message":"Bună \"seara\"! 🍷","timestamp":"2026-11-27T20:00:00.000Z"}]},"at":"2026-11-27T20:09:19.500000Z"},"attended_until":null}' AS BLOB), 1795810159500);
INSERT INTO chats VALUES (6, 's-elena', 'hotel-2', 'elena', NULL, NULL, CAST('{"session_id":"s-elena","customer":["hotel-2","elena"],"since":"2026-11-27T20:11:19.500000Z","location_id":"loc-1","status":"ai","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":null,"wishes":[],"missed":{"text":"Aveți loc?","reason":"ai_failure","context":{"summary":"Aveți loc?","language":"ro","lastMessages":[{"seq":1,"author":"user","message":"Bună \"seara\"! 🍷","timestamp":"2026-11-27T20:00:00.000Z"}]},"at":"2026-11-27T20:11:19.500000Z"},"attended_until":null}' AS BLOB), 1795810279500);
INSERT INTO chats VALUES (7, 's-ioana', 'bistro-1', 'ioana', NULL, 1795846339500, CAST('{"session_id":"s-ioana","customer":["bistro-1","ioana"],"since":"2026-11-28T06:12:19.500000Z","location_id":"loc-1","status":"ai","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":"user_request","context":{"summary":"O masă de ","language":"ro","lastMessages":[{"seq":1,"author":"user","message":"Bună \"seara\"! 🍷","timestamp":"2026-11-27T20:00:00.000Z"}]},"summary":"S-a rezolvat.","told_at":null,"wishes":[{"wish_id":"id-4","status":"live","at":"2026-11-28T06:12:19.500000Z","coordinator_id":"maria","summary":null,"answer":{"message_id":"m-ioana","author":"coordinator","text":"Se poate, „sigur”.","at":"2026-11-28T06:12:19.500000Z","session_id":"s-ioana","coordinator_id":"maria","origin":null}},{"wish_id":"id-5","status":"ai","at":"2026-11-28T06:12:19.500000Z","coordinator_id":"maria","summary":"S-a rezolvat.","answer":null}],"missed":null,"attended_until":"2026-11-27T20:12:19.500000Z"}' AS BLOB), NULL);
INSERT INTO chats VALUES (8, 's-mihai', 'bistro-1', 'mihai', 1795846399500, 1795846399500, CAST('{"session_id":"s-mihai","customer":["bistro-1","mihai"],"since":"2026-11-28T06:13:19.500000Z","location_id":"loc-1","status":"live","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":"user_request","context":{"summary":"Alo?","language":"ro","lastMessages":[{"seq":1,"author":"user","message":"Bună \"seara\"! 🍷","timestamp":"2026-11-27T20:00:00.000Z"}]},"summary":null,"told_at":null,"wishes":[{"wish_id":"id-6","status":"live","at":"2026-11-28T06:13:19.500000Z","coordinator_id":null,"summary":null,"answer":{"message_id":"m-mihai","author":"coordinator","text":"Bună ziua.","at":"2026-11-28T06:13:19.500000Z","session_id":"s-mihai","coordinator_id":null,"origin":null}}],"missed":null,"attended_until":"2026-11-28T06:13:19.500000Z"}' AS BLOB), NULL);
INSERT INTO chats VALUES (9, 's-olga', 'bistro-1', 'olga', NULL, NULL, CAST('{"session_id":"s-olga","customer":["bistro-1","olga"],"since":"2026-11-28T06:14:19.500000Z","location_id":"loc-1","status":"ai","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":"user_request","context":{"summary":"Mulțumesc.","language":"ro","lastMessages":[{"seq":1,"author":"user","message":"Bună \"seara\"! 🍷","timestamp":"2026-11-27T20:00:00.000Z"}]},"summary":null,"told_at":null,"wishes":[],"missed":null,"attended_until":"2026-11-28T06:14:19.500000Z"}' AS BLOB), NULL);
INSERT INTO words VALUES (1, 'chat:bistro-1:ioana', 'm-ioana', CAST('{"message_id":"m-ioana","author":"coordinator","text":"Se poate, „sigur”.","at":"2026-11-28T06:12:19.500000Z","session_id":"s-ioana","coordinator_id":"maria","origin":null}' AS BLOB));
INSERT INTO words VALUES (2, 'chat:bistro-1:mihai', 'm-mihai', CAST('{"message_id":"m-mihai","author":"coordinator","text":"Bună ziua.","at":"2026-11-28T06:13:19.500000Z","session_id":"s-mihai","coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO answers VALUES ('k-ana-1795810040', 1795810039500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-ana-1795810100', 1795810099500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-dan@example.com-1795810160', 1795810159500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-elena-1795810280', 1795810279500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-ioana-1795810340', 1795810339500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-mihai-1795846400', 1795846399500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-olga-1795846460', 1795846459500, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO waits VALUES (1, 'bistro-1', 42000);
INSERT INTO waits VALUES (2, 'bistro-1', 7500);
INSERT INTO waits VALUES (3, 'hotel-2', 300000);
PRAGMA user_version = 2;
COMMIT;
