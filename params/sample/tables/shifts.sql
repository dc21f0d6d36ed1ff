select
    "Tim" as team,
    strptime("Mulai", '%d/%m/%Y %H:%M') as interval_start_at,
    "Menit_Perlu" as required_min,
    "Menit_Hadir" as present_min,
    "Menit_Terlatih" as skilled_min,
    "Keterlibatan" as employee_engagement,
    'HR' as source
from read_csv('{raw}/hr/roster.csv', header = true, all_varchar = true)
