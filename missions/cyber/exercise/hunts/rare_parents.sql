-- name: rare_parents
-- Programs that few hosts start from few parents: what no rule asks for, and a person looks at.
SELECT event->>'ParentImage' AS parent, event->>'Image' AS image, count(*) AS times, min(moment) AS first, max(moment) AS last
FROM events
WHERE event->>'Image' IS NOT NULL
GROUP BY ALL
HAVING times <= 3
ORDER BY times, first, image
