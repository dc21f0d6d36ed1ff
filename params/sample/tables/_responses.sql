-- The wide sheet of the survey tool as a row per question; what was not asked is left out.
select *
from (
    select
        "ResponseId" as response_id,
        "RecipientToken" as invitation_id,
        "PanelId" as panel,
        "SurveyName" as survey,
        "EndDate" as answered_at,
        "Occasion" as occasion,
        "OrderRef" as order_id,
        unnest([
            'Q01', 'Q02', 'Q03', 'Q04', 'Q05', 'Q06', 'Q07', 'Q08', 'Q09', 'Q10', 'Q11', 'Q12',
            'Q13', 'Q14', 'Q15', 'Q16', 'Q17', 'Q18', 'Q19', 'Q20', 'Q21', 'Q22', 'Q23', 'Q24',
            'Q25', 'Q26', 'Q27', 'Q28', 'Q29', 'Q30', 'Q31', 'Q32', 'Q33', 'Q34', 'Q35', 'Q36',
            'Q37', 'Q38', 'Q39', 'Q40', 'Q41', 'Q42', 'Q43', 'Q44'
        ]) as code,
        unnest([
            "Q01", "Q02", "Q03", "Q04", "Q05", "Q06", "Q07", "Q08", "Q09", "Q10", "Q11", "Q12",
            "Q13", "Q14", "Q15", "Q16", "Q17", "Q18", "Q19", "Q20", "Q21", "Q22", "Q23", "Q24",
            "Q25", "Q26", "Q27", "Q28", "Q29", "Q30", "Q31", "Q32", "Q33", "Q34", "Q35", "Q36",
            "Q37", "Q38", "Q39", "Q40", "Q41", "Q42", "Q43", "Q44"
        ]) as value
    from read_csv('{raw}/survey/responses.csv', header = true, all_varchar = true)
)
where value is not null
