-- Tenure is in whole months and the day of leaving is not known, so both are put to mid-month.
select
    "customerID" as customer_id,
    date '2018-09-16' - to_months("tenure"::integer) as started_on,
    case when "Churn" = 'Yes' then date '2018-09-16' end as ended_on,
    "Contract" as contract,
    "InternetService" as internet,
    "PaymentMethod" as payment_method,
    "TechSupport" as tech_support,
    "PaperlessBilling" as paperless_billing,
    "MonthlyCharges"::decimal(18, 2) as monthly_amount
from read_csv('{raw}/WA_Fn-UseC_-Telco-Customer-Churn.csv', header = true, all_varchar = true)
