-- The words that the pretend company's world is made of. No name is taken from a real company's list.
set variable brand_first = [
    '恒', '瑞', '华', '鑫', '宏', '泰', '盛', '嘉', '利', '永', '德', '信', '卓', '晟', '天', '金', '博', '立', '远', '新',
    '安', '科', '通', '聚', '顺', '福', '凯', '明', '正', '佳', '荣', '东', '启', '星', '弘', '昌', '振', '润', '丰', '同'];
set variable brand_second = [
    '达', '丰', '源', '诺', '泰', '朗', '昌', '诚', '力', '珂', '隆', '辉', '祥', '腾', '宇', '业', '捷', '康', '凌', '锐',
    '飞', '洋', '和', '鼎', '航', '创', '驰', '亿', '旺', '升', '铭', '固', '瀚', '沃', '吉', '𠮷', '基', '合', '特', '阳'];
set variable brand_third = ['', '', '', '', '斯', '尔', '普', '莱', '美', '国', '世', '联', '大', '方', '优', '拓'];
set variable surnames = [
    '王', '李', '张', '刘', '陈', '杨', '黄', '赵', '吴', '周', '徐', '孙', '马', '朱', '胡', '郭', '何', '林', '罗', '郑'];
set variable given_names = [
    '伟', '芳', '娜', '敏', '静', '磊', '洋', '勇', '军', '杰', '涛', '明', '超', '霞', '平', '刚', '桂英', '建国', '志强', '晓燕',
    '文博', '雨桐', '子轩', '欣怡', '海峰', '丽华', '文华', '国栋', '春梅', '立新', '喆', '堃', '㐂', '一鸣', '思远', '佳宁'];
set variable overseas_names = [
    'Nordkai', 'Harbourline', 'Bluewater', 'Meridian', 'Kestrel', 'Alto', 'Ferro', 'Castell', 'Lindqvist', 'Orchard',
    'Summit', 'Redwood', 'Delta', 'Anchor', 'Vantage', 'Corvo', 'Helio', 'Tramont', 'Sable', 'Quayside'];
set variable overseas_trades = ['Trading', 'Industrial Supply', 'Tools', 'Components', 'Import', 'Engineering'];
set variable positions = ['采购经理', '采购员', '总经理', '生产经理', '设备主管', '财务经理'];

create table place as
select
    row_number() over () - 1 as slot,
    region, city, country, currency, place_code, team
from (
    values
    (1, '华东', '上海', 'CN', 'CNY', '310000', 0, 8), (2, '华东', '苏州', 'CN', 'CNY', '320500', 0, 6),
    (3, '华东', '杭州', 'CN', 'CNY', '330100', 0, 6), (4, '华东', '宁波', 'CN', 'CNY', '330200', 0, 5),
    (5, '华东', '无锡', 'CN', 'CNY', '320200', 0, 4), (6, '华东', '南京', 'CN', 'CNY', '320100', 0, 4),
    (7, '华东', '青岛', 'CN', 'CNY', '370200', 0, 3), (8, '华南', '广州', 'CN', 'CNY', '440100', 1, 6),
    (9, '华南', '深圳', 'CN', 'CNY', '440300', 1, 6), (10, '华南', '佛山', 'CN', 'CNY', '440600', 1, 4),
    (11, '华南', '东莞', 'CN', 'CNY', '441900', 1, 4), (12, '华南', '厦门', 'CN', 'CNY', '350200', 1, 2),
    (13, '华北', '北京', 'CN', 'CNY', '110000', 2, 4), (14, '华北', '天津', 'CN', 'CNY', '120000', 2, 4),
    (15, '华北', '石家庄', 'CN', 'CNY', '130100', 2, 2), (16, '华北', '唐山', 'CN', 'CNY', '130200', 2, 2),
    (17, '西南', '重庆', 'CN', 'CNY', '500000', 3, 4), (18, '西南', '成都', 'CN', 'CNY', '510100', 3, 4),
    (19, '西南', '昆明', 'CN', 'CNY', '530100', 3, 1), (20, '华中', '武汉', 'CN', 'CNY', '420100', 3, 3),
    (21, '华中', '长沙', 'CN', 'CNY', '430100', 3, 2), (22, '华中', '郑州', 'CN', 'CNY', '410100', 3, 2),
    (23, '海外', 'Hamburg', 'DE', 'EUR', null, 4, 3), (24, '海外', 'Milano', 'IT', 'EUR', null, 4, 2),
    (25, '海外', 'Lyon', 'FR', 'EUR', null, 4, 2), (26, '海外', 'Houston', 'US', 'USD', null, 4, 4),
    (27, '海外', 'Singapore', 'SG', 'USD', null, 4, 4), (28, '海外', 'Bangkok', 'TH', 'USD', null, 4, 3),
    (29, '海外', 'Dubai', 'AE', 'USD', null, 4, 2), (30, '海外', 'Osaka', 'JP', 'USD', null, 4, 1)
) as places (place_no, region, city, country, currency, place_code, team, share),
    unnest(range(share)) as slots (slot_no)
order by place_no, slot_no;

create table industry (slot integer, industry_code varchar, trade_word varchar);
insert into industry values
(0, 'C34', '机械'), (1, 'C35', '装备'), (2, 'C33', '金属制品'), (3, 'C36', '汽车零部件'), (4, 'C38', '电气'),
(5, 'C39', '电子'), (6, 'E48', '建设工程'), (7, 'F51', '贸易'), (8, 'C26', '化工'), (9, 'C29', '橡塑'),
(10, 'D44', '能源'), (11, 'C37', '船舶设备');

-- How customers behave. first_from: days before the end at which a new customer may start; bend: below 1 the orders
-- crowd at the end of the period, above 1 at its beginning; drift: growth of the order value over the period.
create table profile (
    slot_from integer, slot_to integer, profile varchar, frequency double, value double, bend double, drift double
);
insert into profile values
(0, 36, 'steady', 1.15, 1.0, 1.0, 0.1), (36, 51, 'growing', 1.15, 0.9, 0.62, 0.9), (51, 67, 'fading', 1.0, 1.0, 1.5, -0.5),
(67, 81, 'seasonal', 0.9, 1.1, 1.0, 0.1), (81, 88, 'project', 0.22, 5.0, 1.0, 0.0), (88, 95, 'new', 2.6, 0.8, 0.9, 0.2),
(95, 100, 'occasional', 0.2, 0.8, 1.0, 0.0);

create table product as
select
    category_no * 8 + item_no as product_no,
    category_l1,
    split_part(item, '/', 1) as category_l2,
    replace(item, '/', ' ') as product_name,
    ['赛固', '迈拓', '力恩', '海铂'][1 + whole(category_no * 8 + item_no, 'brand', 4)] as brand,
    uom,
    round(low * pow(high / low, (item_no - 1) / 7.0), 2)::decimal(9, 2) as list_price,
    -- Margins from 5 to 45 %: one item per category is a loss leader.
    case when item_no = 3 then 0.05 else margin + 0.10 * (chance(category_no * 8 + item_no, 'margin') - 0.5) end as margin,
    case when category_no = 7 and item_no > 6 then date '2025-11-01' else date '2020-01-01' end as launched_on,
    case when category_no = 2 and item_no = 8 then date '2025-11-20' end as dropped_on
from (
    values
    (0, '紧固件', '盒', 18.0, 160.0, 0.24,
        ['螺栓/M6x20', '螺栓/M8x40', '螺母/M8', '螺栓/M12x60', '自攻钉/ST4.2', '膨胀栓/M10', '高强螺栓/M16', '螺栓/不锈钢套装']),
    (1, '轴承', '个', 22.0, 1450.0, 0.33,
        ['深沟球轴承/6204', '深沟球轴承/6308', '圆锥轴承/30206', '调心轴承/22208', '推力轴承/51110', '直线轴承/LM20', '轴承座/UCP205', '主轴轴承/7014C']),
    (2, '电工器材', '个', 9.0, 620.0, 0.28,
        ['接线端子/UK2.5', '断路器/C16', '接触器/220V', '继电器/24V', '开关电源/120W', '变频器/0.75kW', '按钮盒/三位', '电缆桥架/200mm']),
    (3, '手动工具', '把', 12.0, 480.0, 0.36,
        ['扳手/10mm', '扳手/活动250', '螺丝刀/套装', '钳子/钢丝8寸', '锤子/羊角', '套筒/46件', '卷尺/5m', '扭力扳手/100Nm']),
    (4, '电动工具', '台', 220.0, 2600.0, 0.19,
        ['手电钻/12V', '角磨机/100mm', '电锤/26mm', '曲线锯/650W', '砂光机/150mm', '电圆锯/185mm', '冲击扳手/20V', '切割机/355mm']),
    (5, '劳保用品', '箱', 35.0, 390.0, 0.40,
        ['手套/丁腈', '口罩/N95', '耳塞/慢回弹', '安全帽/ABS', '护目镜/防雾', '工作服/夏装', '安全鞋/钢头', '安全带/双钩']),
    (6, '密封件', '包', 8.0, 310.0, 0.42,
        ['O型圈/NBR套装', '油封/TC35', '油封/TC60', '垫片/石墨', '盘根/PTFE', '机械密封/104', '密封胶/330ml', '密封条/EPDM']),
    (7, '润滑油', '桶', 95.0, 1900.0, 0.15,
        ['液压油/46号18L', '齿轮油/220号18L', '润滑脂/锂基15kg', '导轨油/68号', '切削液/20L', '防锈油/18L', '空压机油/200L', '液压油/46号200L'])
) as categories (category_no, category_l1, uom, low, high, margin, items),
    lateral (select unnest(items) as item, generate_subscripts(items, 1) as item_no)
order by product_no;
