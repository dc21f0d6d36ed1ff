-- once: hr/roster.csv
select
    team as "Tim",
    strftime(interval_start_at + interval 7 hour, '%d/%m/%Y %H:%M') as "Mulai",
    required_min as "Menit_Perlu",
    present_min as "Menit_Hadir",
    skilled_min as "Menit_Terlatih",
    employee_engagement as "Keterlibatan"
from world_shifts
order by team, interval_start_at
