/**
 * The airports of the flights file by region: every origin of the file, once. Regions are cut by longitude where the time zones
 * of the contiguous states roughly meet: west of 114.5° W, 102° W, 86° W, and the rest. Positions are those of airports.csv beside
 * the file, which knows every origin, so none had to be placed by hand. A test makes this table again from both files.
 */
export const flightRegions = {
  west:
    'ADQ AKN ANC BET BFL BOI BRW BUR CDV DLG DUT EUG FAI FAT GEG GST HNL ITO JNU KOA KTN LAS LAX LGB LIH MFR MRY OAK ' +
    'OGG OME ONT OTZ PDX PSC PSG PSP RNO SAN SBA SBP SCC SEA SFO SIT SJC SMF SNA WRG YAK',
  mountain: 'ABQ BIL BZN COS DEN DRO EGE ELP FCA GTF GUC HDN HLN JAC MAF MSO MTJ PHX RAP SLC TUS',
  central:
    'ABI ACT AMA AUS BHM BIS BMI BNA BPT BRO BTR CID CLL CMI CRP DAL DBQ DFW DLH DSM EVV FAR FSD FSM GFK GGG GPT GRB ' +
    'HOU HRL HSV IAH ICT ILE IND JAN LAW LBB LFT LIT LNK LRD LSE MCI MDW MEM MFE MKE MLI MLU MOB MOT MQT MSN MSP MSY ' +
    'OKC OMA ORD PIA PNS RST SAT SBN SGF SHV SJT SPS STL SUX TUL TXK TYR VPS XNA',
  east:
    'ABE ACY ALB APF ATL AVL AVP AZO BDL BGM BGR BOS BQN BTV BUF BWI CAE CAK CHA CHS CLE CLT CMH CRW CVG DAB DAY DCA ' +
    'DTW ELM ERI EWR EYW FAY FLL FNT FWA GRR GSO GSP HPN IAD ILM ISP ITH JAX JFK LAN LEX LGA LWB MBS MCO MDT MHT MIA ' +
    'MLB MYR ORF ORH PBI PHL PIT PVD PWM RDU RIC ROA ROC RSW SAV SDF SJU SRQ STT STX SWF SYR TLH TOL TPA TRI TVC TYS',
} as const;
