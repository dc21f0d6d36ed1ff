-- part: survey/responses.csv
-- The survey tool: a row per response, a column per question, and what was known at sending.
select
    'RS' || a.response as ResponseId,
    'IN' || a.invitation as RecipientToken,
    any_value(k.panel) as PanelId,
    any_value(a.survey) as SurveyName,
    strftime(max(a.answered_at), '%Y-%m-%dT%H:%M:%SZ') as EndDate,
    any_value(a.touchpoint) filter (
        where a.construct in ('csat', 'ces', 'driver', 'expectation')
    ) as Occasion,
    any_value(n.ref) as OrderRef,
    max(a.value) filter (where q.place = 1) as Q01,
    max(a.value) filter (where q.place = 2) as Q02,
    max(a.value) filter (where q.place = 3) as Q03,
    max(a.value) filter (where q.place = 4) as Q04,
    max(a.value) filter (where q.place = 5) as Q05,
    max(a.value) filter (where q.place = 6) as Q06,
    max(a.value) filter (where q.place = 7) as Q07,
    max(a.value) filter (where q.place = 8) as Q08,
    max(a.value) filter (where q.place = 9) as Q09,
    max(a.value) filter (where q.place = 10) as Q10,
    max(a.value) filter (where q.place = 11) as Q11,
    max(a.value) filter (where q.place = 12) as Q12,
    max(a.value) filter (where q.place = 13) as Q13,
    max(a.value) filter (where q.place = 14) as Q14,
    max(a.value) filter (where q.place = 15) as Q15,
    max(a.value) filter (where q.place = 16) as Q16,
    max(a.value) filter (where q.place = 17) as Q17,
    max(a.value) filter (where q.place = 18) as Q18,
    max(a.value) filter (where q.place = 19) as Q19,
    max(a.value) filter (where q.place = 20) as Q20,
    max(a.value) filter (where q.place = 21) as Q21,
    max(a.value) filter (where q.place = 22) as Q22,
    max(a.value) filter (where q.place = 23) as Q23,
    max(a.value) filter (where q.place = 24) as Q24,
    max(a.value) filter (where q.place = 25) as Q25,
    max(a.value) filter (where q.place = 26) as Q26,
    max(a.value) filter (where q.place = 27) as Q27,
    max(a.value) filter (where q.place = 28) as Q28,
    max(a.value) filter (where q.place = 29) as Q29,
    max(a.value) filter (where q.place = 30) as Q30,
    max(a.value) filter (where q.place = 31) as Q31,
    max(a.value) filter (where q.place = 32) as Q32,
    max(a.value) filter (where q.place = 33) as Q33,
    max(a.value) filter (where q.place = 34) as Q34,
    max(a.value) filter (where q.place = 35) as Q35,
    max(a.value) filter (where q.place = 36) as Q36,
    max(a.value) filter (where q.place = 37) as Q37,
    max(a.value) filter (where q.place = 38) as Q38,
    max(a.value) filter (where q.place = 39) as Q39,
    max(a.value) filter (where q.place = 40) as Q40,
    max(a.value) filter (where q.place = 41) as Q41,
    max(a.value) filter (where q.place = 42) as Q42,
    max(a.value) filter (where q.place = 43) as Q43,
    max(a.value) filter (where q.place = 44) as Q44,
    case when any_value(k.is_kept) then max(a.answered_at) end as _at
from answers as a
join questions as q on a.question = q.code
join known as k on a.person = k.person
left join numbered as n on a.order = n.order
group by a.response, a.invitation
order by a.response
