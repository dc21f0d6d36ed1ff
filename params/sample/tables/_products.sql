select sku, plu, department
from read_csv('{raw}/warehouse/products.csv', header = true, all_varchar = true)
